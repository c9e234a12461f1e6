export { createSHA256 as create } from "hash-wasm";
