export {
  conformanceCases,
  describeConformance,
  runConformanceCase,
  type ConformanceSubject,
  type TestRunner,
} from "./lib/conformance/suite.ts";
export {
  Scope,
  addressOf,
  gathered,
  joined,
  sampleBytes,
  type ConformanceCase,
  type ConformancePlace,
} from "./lib/conformance/scope.ts";
