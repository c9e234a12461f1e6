import type { RecordedEvent } from "../events/types.ts";
import {
  projectBackendFailed,
  projectBackendRecovered,
  projectObjectCopied,
  projectObjectDamaged,
  projectObjectMended,
  projectObjectRemoved,
  projectRestoreRequested,
  projectRetrievalChanged,
} from "./copies.ts";
import { projectFileAdded, projectFileRemoved } from "./files.ts";
import { projectHoldPlaced, projectHoldReleased } from "./holds.ts";
import {
  projectPackageAbandoned,
  projectPackageCreated,
  projectPackageFinalized,
  projectPackageUnyanked,
  projectPackageYanked,
} from "./packages.ts";
import { projectRetentionClassDefined, projectRetentionSet } from "./retention.ts";
import { projectSchemaRegistered } from "./schemas.ts";
import { projectTagRemoved, projectTagSet } from "./tags.ts";
import type { ViewWriter } from "./view-writer.ts";

/**
 * Writes what an event means into the views. The only code that writes a view; it uses nothing
 * but the event and the views, so that replaying the log gives the same rows.
 */
export async function project(views: ViewWriter, event: RecordedEvent): Promise<void> {
  switch (event.type) {
    case "v1.instance.created":
      return;
    case "v1.retention.class_defined":
      return projectRetentionClassDefined(views, event);
    case "v1.schema.registered":
      return projectSchemaRegistered(views, event);
    case "v1.package.created":
      return projectPackageCreated(views, event);
    case "v1.file.added":
      return projectFileAdded(views, event);
    case "v1.file.removed":
      return projectFileRemoved(views, event);
    case "v1.package.finalized":
      return projectPackageFinalized(views, event);
    case "v1.package.abandoned":
      return projectPackageAbandoned(views, event);
    case "v1.package.yanked":
      return projectPackageYanked(views, event);
    case "v1.package.unyanked":
      return projectPackageUnyanked(views, event);
    case "v1.tag.set":
      return projectTagSet(views, event);
    case "v1.tag.removed":
      return projectTagRemoved(views, event);
    case "v1.retention.set":
      return projectRetentionSet(views, event);
    case "v1.hold.placed":
      return projectHoldPlaced(views, event);
    case "v1.hold.released":
      return projectHoldReleased(views, event);
    case "v1.object.copied":
      return projectObjectCopied(views, event);
    case "v1.object.damaged":
      return projectObjectDamaged(views, event);
    case "v1.object.mended":
      return projectObjectMended(views, event);
    case "v1.object.removed":
      return projectObjectRemoved(views, event);
    case "v1.object.restore_requested":
      return projectRestoreRequested(views, event);
    case "v1.object.retrieval_changed":
      return projectRetrievalChanged(views, event);
    case "v1.backend.failed":
      return projectBackendFailed(views, event);
    case "v1.backend.recovered":
      return projectBackendRecovered(views, event);
  }
}
