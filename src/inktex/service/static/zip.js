// A zip archive of small text files, without compression (PKWARE's APPNOTE 6.3, sections 4.3 to 4.5).

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});
const JANUARY_1980 = 0x21; // the earliest date there is: archives of the same files are the same
const UTF8_NAMES = 0x0800;

/**
 * The checksum CRC-32.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * @param {{name: string, text: string}[]} files
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function zipped(files) {
  const encoder = new TextEncoder();
  /** @type {number[][]} */
  const headers = [];
  /** @type {Uint8Array[]} */
  const parts = [];
  let offset = 0;
  for (const { name, text } of files) {
    const [title, data] = [encoder.encode(name), encoder.encode(text)];
    const common = [
      ...two(20), ...two(UTF8_NAMES), ...two(0), ...two(0), ...two(JANUARY_1980),
      ...four(crc32(data)), ...four(data.length), ...four(data.length), ...two(title.length), ...two(0),
    ]; // prettier-ignore
    const local = [...four(0x04034b50), ...common, ...title];
    headers.push([
      ...four(0x02014b50), ...two(20), ...common, ...two(0), ...two(0), ...two(0), ...four(0), ...four(offset),
      ...title,
    ]); // prettier-ignore
    parts.push(Uint8Array.from(local), data);
    offset += local.length + data.length;
  }
  const directory = Uint8Array.from(headers.flat());
  const count = two(files.length);
  const end = [
    ...four(0x06054b50),
    ...two(0),
    ...two(0),
    ...count,
    ...count,
    ...four(directory.length),
    ...four(offset),
    ...two(0),
  ];
  return joined([...parts, directory, Uint8Array.from(end)]);
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** @param {number} value */
function two(value) {
  return [value & 0xff, (value >>> 8) & 0xff];
}

/** @param {number} value */
function four(value) {
  return [...two(value & 0xffff), ...two(value >>> 16)];
}
