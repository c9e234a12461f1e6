import * as v from "valibot";

import * as field from "../fields.ts";
import * as account from "../resources/account.ts";
import { logHeadSchema } from "../resources/event.ts";
import * as operation from "../resources/operation.ts";
import { defineRoute, json, optionalJson } from "../route.ts";

const tag = "Administration";
const userParams = v.object({ username: field.username });
const user = { description: "The user.", content: json(account.userSchema) };

/** Users, keys, and what operators do with the instance as a whole. */
export const adminRoutes = {
  createUser: defineRoute({
    method: "POST",
    path: "/api/v1/admin/users",
    tag,
    summary: "Make a user",
    description:
      "The first one is made with the setup token, and gets `admin:*` and `metrics` whatever is " +
      "asked for.",
    access: "setup",
    body: json(account.createUserSchema),
    answers: { 201: user },
  }),
  listUsers: defineRoute({
    method: "GET",
    path: "/api/v1/admin/users",
    tag,
    summary: "List users",
    access: "instance",
    query: v.object(field.pageQuery),
    answers: { 200: { description: "A page.", content: json(field.pageOf(account.userSchema)) } },
  }),
  getUser: defineRoute({
    method: "GET",
    path: "/api/v1/admin/users/{username}",
    tag,
    summary: "Show a user",
    access: "instance",
    params: userParams,
    answers: { 200: user },
  }),
  disableUser: defineRoute({
    method: "POST",
    path: "/api/v1/admin/users/{username}/disable",
    tag,
    summary: "Disable a user, with all sessions and tokens",
    access: "instance",
    params: userParams,
    answers: { 200: user },
  }),
  enableUser: defineRoute({
    method: "POST",
    path: "/api/v1/admin/users/{username}/enable",
    tag,
    summary: "Enable a user again",
    access: "instance",
    params: userParams,
    answers: { 200: user },
  }),
  setUserScopes: defineRoute({
    method: "PUT",
    path: "/api/v1/admin/users/{username}/scopes",
    tag,
    summary: "Set what a user may do",
    access: "instance",
    params: userParams,
    body: json(account.setScopesSchema),
    answers: { 200: user },
  }),
  setUserPassword: defineRoute({
    method: "PUT",
    path: "/api/v1/admin/users/{username}/password",
    tag,
    summary: "Set a user's password",
    description: "Ends every session of the user.",
    access: "instance",
    params: userParams,
    body: json(account.setPasswordSchema),
    answers: { 204: { description: "It is set." } },
  }),
  listKeys: defineRoute({
    method: "GET",
    path: "/api/v1/admin/keys",
    tag,
    summary: "List the keys that sign access tokens",
    access: "instance",
    query: v.object(field.pageQuery),
    answers: { 200: { description: "A page.", content: json(field.pageOf(account.keySchema)) } },
  }),
  rotateKeys: defineRoute({
    method: "POST",
    path: "/api/v1/admin/keys/rotate",
    tag,
    summary: "Sign with a new key from now on",
    description: "Tokens that older keys signed stay valid until they expire.",
    access: "instance",
    answers: { 201: { description: "The new key.", content: json(account.keySchema) } },
  }),
  listRefusals: defineRoute({
    method: "GET",
    path: "/api/v1/admin/refusals",
    tag,
    summary: "List requests that were refused, newest first",
    access: "instance",
    query: v.object(field.pageQuery),
    answers: {
      200: { description: "A page.", content: json(field.pageOf(account.refusalSchema)) },
    },
  }),
  getInstanceHealth: defineRoute({
    method: "GET",
    path: "/api/v1/admin/health",
    tag,
    summary: "Check the database, the log and each backend",
    access: "instance",
    answers: { 200: { description: "What was found.", content: json(operation.healthSchema) } },
  }),
  replayViews: defineRoute({
    method: "POST",
    path: "/api/v1/admin/replay",
    tag,
    summary: "Rebuild the views from the log, or only compare them",
    access: "instance",
    body: optionalJson(operation.replaySchema),
    answers: {
      200: { description: "What was found.", content: json(operation.replayReportSchema) },
    },
  }),
  sweep: defineRoute({
    method: "POST",
    path: "/api/v1/admin/sweep",
    tag,
    summary: "Discard what has lapsed",
    access: "instance",
    answers: {
      200: { description: "What was discarded.", content: json(operation.sweepReportSchema) },
    },
  }),
  verifyLog: defineRoute({
    method: "POST",
    path: "/api/v1/admin/verify-log",
    tag,
    summary: "Recompute the log's tree",
    access: "instance",
    answers: { 200: { description: "The head, proved.", content: json(logHeadSchema) } },
  }),
};
