import type { AttachmentCheck } from "#domain/ports/attachment-check.ts";
import type { Connections } from "#domain/ports/connections.ts";
import type { HoldSurvey } from "#domain/ports/hold-survey.ts";
import type { NodeHost } from "../host.ts";

/** What the watch loop needs beside what the calls need. */
export interface WatchHost extends NodeHost {
  readonly connections: Connections;
  readonly attachments: AttachmentCheck;
  /** `undefined` where holds cannot be made. */
  readonly survey: HoldSurvey | undefined;
}
