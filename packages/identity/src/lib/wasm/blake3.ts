export { createBLAKE3 as create } from "hash-wasm";
