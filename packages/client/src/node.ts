export { fileSource, folderSources } from "./lib/node/file-source.ts";
export {
  nodeTransport,
  type NodeTransport,
  type NodeTransportOptions,
} from "./lib/node/node-transport.ts";
