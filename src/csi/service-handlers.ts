import type { ControllerService, IdentityService, NodeService } from "./gen/csi.ts";
import type { Handler } from "./handler.ts";

/** Handlers for some calls of a service; a call without one is answered UNIMPLEMENTED. */
export type HandlersOf<Service> = {
  readonly [Name in keyof Service]?: Service[Name] extends UnaryMethod<
    infer Request,
    infer Response
  >
    ? Handler<Request, Response>
    : never;
};

/** The part of a generated method definition that carries its types. */
export interface UnaryMethod<Request, Response> {
  readonly requestStream: false;
  readonly responseStream: false;
  requestDeserialize(bytes: Buffer): Request;
  responseSerialize(message: Response): Buffer;
}

export type IdentityHandlers = HandlersOf<IdentityService>;
export type ControllerHandlers = HandlersOf<ControllerService>;
export type NodeHandlers = HandlersOf<NodeService>;

/** What one process serves. */
export interface CsiServices {
  readonly identity: IdentityHandlers;
  readonly controller?: ControllerHandlers;
  readonly node?: NodeHandlers;
}
