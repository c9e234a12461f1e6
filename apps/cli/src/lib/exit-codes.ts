import type { StoreErrorCode } from "@store/identity";

/** What the exit code of `store` says. 128 and a signal's number stand for an interruption. */
export const exitCodes = {
  ok: 0,
  failedCheck: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  denied: 5,
  integrity: 6,
  unavailable: 7,
  interrupted: 130,
} as const;

interface Outcome {
  readonly exit: (typeof exitCodes)[keyof typeof exitCodes];
  /** What somebody at a terminal can do about it. */
  readonly hint: string;
}

const { failedCheck, usage, notFound, conflict, denied, integrity, unavailable } = exitCodes;

const seeHelp = "See what the command takes with `--help`.";
const seeNames = "See what there is with `store ls`, `store ls <namespace>/<name>`.";
const seeHealth = "See which part fails with `store health`, then try again.";
const isForEver = "What is finalized never changes; push another version or variant.";
const restore = "Restore the object from a copy; `store verify --all` names all that are damaged.";

/** How the command line answers every error. Total: a new code does not compile without its own. */
const outcomes: Record<StoreErrorCode, Outcome> = {
  invalid_argument: { exit: usage, hint: seeHelp },
  invalid_digest: { exit: usage, hint: "Write it as blake3:<64 lowercase hex digits>." },
  invalid_reference: { exit: usage, hint: "Write it like acme/app@1.2.0 or acme/app:stable." },
  invalid_name: { exit: usage, hint: "Choose another name." },
  invalid_path: { exit: usage, hint: "Rename the file, or leave it out with --exclude." },
  invalid_manifest: { exit: integrity, hint: restore },
  invalid_cbor: { exit: integrity, hint: restore },
  invalid_json: { exit: usage, hint: "Correct the JSON; it must be one object." },
  invalid_cursor: { exit: usage, hint: "Begin the list again." },
  invalid_range: { exit: usage, hint: seeHelp },
  invalid_metadata: { exit: usage, hint: "See what is asked for with `store schema show`." },
  invalid_schema: { exit: usage, hint: "Correct the schema and add it again." },
  invalid_event: { exit: integrity, hint: "Report how it came about: the log refused it." },
  limit_exceeded: { exit: usage, hint: "Give less, or split it into several packages." },
  invalid_password: { exit: usage, hint: "Choose a longer one that nobody would guess." },
  unsupported_media_type: { exit: usage, hint: seeHelp },
  not_acceptable: { exit: usage, hint: seeHelp },
  package_not_found: { exit: notFound, hint: seeNames },
  file_not_found: {
    exit: notFound,
    hint: "Check the path; those in a package are listed by `store show --files`.",
  },
  object_not_found: { exit: notFound, hint: restore },
  tag_not_found: { exit: notFound, hint: "See the tags with `store ls <namespace>/<name>`." },
  schema_not_found: { exit: notFound, hint: "See the schemas with `store schema list`." },
  hold_not_found: { exit: notFound, hint: "See the holds with `store hold list`." },
  retention_class_not_found: { exit: notFound, hint: "See them with `store retention list`." },
  staged_not_found: { exit: notFound, hint: "Push again." },
  upload_not_found: { exit: notFound, hint: "Push again." },
  user_not_found: { exit: notFound, hint: "See the users with `store user list`." },
  token_not_found: { exit: notFound, hint: "See the tokens with `store token list`." },
  route_not_found: { exit: notFound, hint: "Check the server's address; it may be another's." },
  instance_not_found: {
    exit: notFound,
    hint: "Name it with --data or STORE_DATA; `store push` and `store serve` make one.",
  },
  ambiguous_reference: { exit: conflict, hint: "Name one variant: acme/app@1.2.0/linux-amd64." },
  package_exists: { exit: conflict, hint: isForEver },
  package_finalized: { exit: conflict, hint: isForEver },
  package_not_finalized: { exit: conflict, hint: "Wait until it is finalized." },
  package_changed: { exit: conflict, hint: "Somebody else changed it; try again." },
  path_conflict: { exit: conflict, hint: "Move what is in the way, or choose another place." },
  tag_conflict: { exit: conflict, hint: "Somebody else moved the tag; look again." },
  idempotency_conflict: { exit: conflict, hint: "Use a new key for a new request." },
  hold_conflict: { exit: conflict, hint: "See the holds with `store hold list --released`." },
  restore_required: {
    exit: conflict,
    hint: "`store objects restore` asks for it, and `store objects locate` shows when it has come.",
  },
  source_changed: { exit: conflict, hint: "Push again once nothing writes to it." },
  upload_conflict: { exit: conflict, hint: "Push again." },
  upload_locked: { exit: conflict, hint: "Wait until the other process has ended." },
  user_exists: { exit: conflict, hint: "Choose another name; see `store user list`." },
  precondition_failed: { exit: conflict, hint: "Somebody else changed it; look again." },
  method_not_allowed: { exit: usage, hint: "Use the version of store that the server has." },
  unauthenticated: { exit: denied, hint: "Log in with `store login`, or set STORE_TOKEN." },
  permission_denied: {
    exit: denied,
    hint: "Check as whom you run this, and what that one may do there.",
  },
  digest_mismatch: { exit: integrity, hint: "Fetch or build the bytes again." },
  size_mismatch: { exit: integrity, hint: "Fetch or build the bytes again." },
  object_corrupt: { exit: integrity, hint: restore },
  log_corrupt: { exit: integrity, hint: "Stop writing, and restore the database from a backup." },
  schema_too_new: { exit: unavailable, hint: "Use a newer version of store." },
  schema_outdated: { exit: unavailable, hint: "Run `store migrate`." },
  layout_unknown: { exit: unavailable, hint: "Check the path; or use a newer version of store." },
  database_unavailable: { exit: unavailable, hint: seeHealth },
  commit_unknown: { exit: unavailable, hint: "Look whether it happened before you try again." },
  storage_unavailable: { exit: unavailable, hint: seeHealth },
  storage_full: { exit: unavailable, hint: "Free some space, then try again." },
  rate_limited: { exit: unavailable, hint: "Wait as long as the message says, then try again." },
  request_timeout: { exit: unavailable, hint: "Try again; the network may be slow." },
  address_unavailable: { exit: unavailable, hint: "Choose another with --port or --host." },
  unsupported: { exit: usage, hint: seeHelp },
  aborted: {
    exit: exitCodes.interrupted,
    hint: "Nothing is half done; run it again when you like.",
  },
  closed: { exit: unavailable, hint: "Try again." },
  internal: { exit: failedCheck, hint: "Run it again with STORE_DEBUG=1 and report what it says." },
};

/** How the command line answers an error. */
export function outcomeOf(code: StoreErrorCode): Outcome {
  return outcomes[code];
}
