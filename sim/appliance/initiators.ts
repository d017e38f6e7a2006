import type { ExportedImage } from "./back-end.ts";
import type { Switches } from "./switches.ts";

interface Target {
  image: ExportedImage;
  readonly bytesAtExport: number;
  readonly attachments: Set<Attachment>;
}

/** A host's NVMe/TCP connection to one export. */
export class Attachment {
  readonly nqn: string;
  readonly host: string;
  readonly #initiators: Initiators;
  #bytesSeen: number;

  constructor(initiators: Initiators, image: ExportedImage, host: string) {
    this.nqn = image.nqn;
    this.host = host;
    this.#initiators = initiators;
    this.#bytesSeen = image.bytes;
  }

  /** False once the appliance has cut the connection or the host has ended it. */
  get connected(): boolean {
    return this.#initiators.holds(this);
  }

  /** Size of the namespace as this host sees it now, by the switch `resize-visibility`. */
  get bytes(): number {
    return this.#initiators.visibleBytes(this, this.#bytesSeen);
  }

  /** What `nvme ns-rescan` does. */
  rescan(): void {
    this.#bytesSeen = this.#initiators.actualBytes(this) ?? this.#bytesSeen;
  }

  disconnect(): void {
    this.#initiators.detach(this);
  }
}

/** The hosts that are connected to exports of this appliance, as far as tests and demos say so. */
export class Initiators {
  readonly #switches: Switches;
  readonly #targets = new Map<string, Target>();
  /** Attachments that outlived their export (`connected-unexport=keep`). */
  readonly #kept = new Set<Attachment>();
  readonly #waiting = new Set<() => void>();

  constructor(switches: Switches) {
    this.#switches = switches;
  }

  /** @throws {Error} when nothing is exported under `nqn`, or not to this host. */
  connect(nqn: string, host: string): Attachment {
    const target = this.#targets.get(nqn);
    if (target === undefined) throw new Error(`Cannot connect to "${nqn}": no such subsystem`);
    const { allowHostName } = target.image;
    if (allowHostName !== "" && allowHostName !== host)
      throw new Error(`Cannot connect to "${nqn}": host "${host}" is not allowed`);
    const attachment = new Attachment(this, target.image, host);
    target.attachments.add(attachment);
    return attachment;
  }

  hosts(nqn: string): readonly string[] {
    return [...(this.#targets.get(nqn)?.attachments ?? [])].map(({ host }) => host);
  }

  /** Resolves when no host is connected to `nqn`, or when `signal` ends the wait. */
  async released(nqn: string, signal: AbortSignal): Promise<void> {
    while (this.hosts(nqn).length > 0 && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      this.#waiting.delete(resolve);
    }
  }

  published(image: ExportedImage): void {
    const { attachments = new Set<Attachment>() } = this.#targets.get(image.nqn) ?? {};
    this.#targets.set(image.nqn, { image, bytesAtExport: image.bytes, attachments });
  }

  resized(nqn: string, bytes: number): void {
    const target = this.#targets.get(nqn);
    if (target !== undefined) target.image = { ...target.image, bytes };
  }

  withdrawn(nqn: string): void {
    const target = this.#targets.get(nqn);
    this.#targets.delete(nqn);
    if (this.#switches.get("connected-unexport") === "keep")
      for (const attachment of target?.attachments ?? []) this.#kept.add(attachment);
    this.#wake();
  }

  holds(attachment: Attachment): boolean {
    const target = this.#targets.get(attachment.nqn);
    return target?.attachments.has(attachment) === true || this.#kept.has(attachment);
  }

  detach(attachment: Attachment): void {
    this.#targets.get(attachment.nqn)?.attachments.delete(attachment);
    this.#kept.delete(attachment);
    this.#wake();
  }

  actualBytes({ nqn }: Attachment): number | undefined {
    return this.#targets.get(nqn)?.image.bytes;
  }

  visibleBytes({ nqn }: Attachment, bytesSeen: number): number {
    const target = this.#targets.get(nqn);
    const visibility = this.#switches.get("resize-visibility");
    if (target === undefined || visibility === "rescan") return bytesSeen;
    return visibility === "live" ? target.image.bytes : target.bytesAtExport;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
