import { closeSync, openSync, writeSync } from "node:fs";

const sectorBytes = 512;

/** Makes a device look like a physical volume of LVM, as a guest's does. Source of the form: LVM2, lib/label/label.h. */
export function writeLvmLabel(device: string): void {
  const sector = Buffer.alloc(sectorBytes);
  sector.write("LABELONE", 0, "latin1");
  sector.writeBigUInt64LE(1n, 8);
  sector.writeUInt32LE(32, 20);
  sector.write("LVM2 001", 24, "latin1");
  sector.write("abcdefghijklmnopqrstuvwxyz012345", 32, "latin1");
  sector.writeUInt32LE(checksum(sector.subarray(20)), 16);
  const file = openSync(device, "r+");
  writeSync(file, Buffer.concat([Buffer.alloc(sectorBytes), sector]), 0, 2 * sectorBytes, 0);
  closeSync(file);
}

/** CRC-32 with LVM's own beginning and without inversion at the end. */
function checksum(bytes: Buffer): number {
  let crc = 0xf597a6cf;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return crc >>> 0;
}
