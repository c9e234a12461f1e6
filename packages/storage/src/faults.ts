export {
  callVerbs,
  streamVerbs,
  withFaults,
  type CallFault,
  type CallVerb,
  type Fault,
  type FaultyBackend,
  type StreamFault,
  type StreamVerb,
} from "./lib/faults.ts";
