// A picture's cutout: turned, cropped, straightened. Corners go clockwise from the upper left.

/** @typedef {[number, number]} Place */
/** @typedef {[number, number, number, number, number, number, number, number, number]} Matrix rows of a 3 x 3 */
/** @typedef {[Place, Place, Place, Place]} Corners */

/**
 * @typedef {object} Pixels as in ImageData
 * @property {Uint8ClampedArray} data red, green, blue and opacity of each pixel
 * @property {number} width
 * @property {number} height
 */

/**
 * Corners of a rectangle.
 * @param {number} width
 * @param {number} height
 * @param {number} [border]
 * @returns {Corners}
 */
export function rectangle(width, height, border = 0) {
  const [right, bottom] = [width - border, height - border];
  return [
    [border, border],
    [right, border],
    [right, bottom],
    [border, bottom],
  ];
}

/**
 * The projective map that takes four places to four others.
 * @param {Corners} from no three on one line
 * @param {Corners} to
 * @returns {Matrix}
 */
export function projection(from, to) {
  const rows = from.flatMap(([x, y], i) => {
    const [u, v] = to[i];
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  const solution = solved(rows);
  return /** @type {Matrix} */ ([...solution, 1]);
}

/**
 * Solves linear equations by elimination with pivots.
 * @param {number[][]} rows coefficients and right side
 * @returns {number[]}
 */
function solved(rows) {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let r = column; r < n; r++) if (Math.abs(rows[r][column]) > Math.abs(rows[pivot][column])) pivot = r;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let r = 0; r < n; r++) {
      if (r === column) continue;
      const factor = rows[r][column] / rows[column][column];
      for (let c = column; c <= n; c++) rows[r][c] -= factor * rows[column][c];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

/**
 * @param {Matrix} m
 * @param {number} x
 * @param {number} y
 * @returns {Place}
 */
export function mapped(m, x, y) {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w];
}

/**
 * First one map, then the other.
 * @param {Matrix} first
 * @param {Matrix} then
 * @returns {Matrix}
 */
export function chained(first, then) {
  const product = [];
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      product.push(then[3 * r] * first[c] + then[3 * r + 1] * first[3 + c] + then[3 * r + 2] * first[6 + c]);
    }
  }
  return /** @type {Matrix} */ (product);
}

/**
 * A picture turned clockwise about its middle, with all of it in view.
 * @param {number} width
 * @param {number} height
 * @param {number} degrees
 * @returns {{width: number, height: number, matrix: Matrix}} the new size; a map from new places to old
 */
export function turned(width, height, degrees) {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const newWidth = Math.round(Math.abs(width * cos) + Math.abs(height * sin));
  const newHeight = Math.round(Math.abs(width * sin) + Math.abs(height * cos));
  const [cx, cy] = [newWidth / 2, newHeight / 2];
  /** @type {Matrix} */
  const matrix = [
    cos, sin, width / 2 - cos * cx - sin * cy,
    -sin, cos, height / 2 + sin * cx - cos * cy,
    0, 0, 1,
  ]; // prettier-ignore
  return { width: newWidth, height: newHeight, matrix };
}

/**
 * The size of the straightened cutout: its longer sides, unless these are longer than wanted.
 * @param {Corners} corners
 * @param {number} longest
 * @returns {{width: number, height: number}}
 */
export function cutoutSize(corners, longest) {
  const side = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.hypot(corners[a][0] - corners[b][0], corners[a][1] - corners[b][1]);
  const width = Math.max(side(0, 1), side(3, 2));
  const height = Math.max(side(0, 3), side(1, 2));
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * Corners after one of them was dragged. Of a rectangle, two others follow; of a quadrilateral none, and
 * what would fold it is not done.
 * @param {Corners} corners
 * @param {number} index
 * @param {Place} place
 * @param {{width: number, height: number, free: boolean}} picture its size; whether the corners are free
 * @returns {Corners}
 */
export function dragged(corners, index, [x, y], { width, height, free }) {
  const held = /** @type {Place} */ ([Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)]);
  const next = /** @type {Corners} */ (corners.map((corner) => [...corner]));
  next[index] = held;
  if (!free) {
    const beside = index ^ 1; // the other end of the upper or lower side
    const across = 3 - index; // the other end of the left or right side
    next[beside] = [next[beside][0], held[1]];
    next[across] = [held[0], next[across][1]];
  }
  return isConvex(next) ? next : corners;
}

/**
 * Whether corners go clockwise round something of a size worth reading.
 * @param {Corners} corners
 */
export function isConvex(corners) {
  return corners.every(([x, y], i) => {
    const [[ax, ay], [bx, by]] = [corners[(i + 1) % 4], corners[(i + 2) % 4]];
    return (ax - x) * (by - ay) - (ay - y) * (bx - ax) > 16;
  });
}

/**
 * The upright rectangle around corners.
 * @param {Corners} corners
 * @returns {Corners}
 */
export function squared(corners) {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/**
 * Pixels of a cutout, each mixed of the four source pixels around its place. Outside the source, its border
 * goes on, since an edge there would look like ink.
 * @param {Pixels} source
 * @param {Matrix} matrix from places in the cutout to places in the source
 * @param {number} width
 * @param {number} height
 * @returns {Uint8ClampedArray}
 */
export function warped(source, matrix, width, height) {
  const target = new Uint8ClampedArray(4 * width * height);
  const { data } = source;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = mapped(matrix, column + 0.5, row + 0.5);
      const sx = Math.min(Math.max(x - 0.5, 0), source.width - 1);
      const sy = Math.min(Math.max(y - 0.5, 0), source.height - 1);
      const [left, top] = [Math.floor(sx), Math.floor(sy)];
      const right = left + 1 < source.width ? 4 : 0;
      const below = top + 1 < source.height ? 4 * source.width : 0;
      const [fx, fy] = [sx - left, sy - top];
      const from = 4 * (top * source.width + left);
      const to = 4 * (row * width + column);
      for (let channel = 0; channel < 4; channel++) {
        const place = from + channel;
        const upper = data[place] * (1 - fx) + data[place + right] * fx;
        const lower = data[place + below] * (1 - fx) + data[place + below + right] * fx;
        target[to + channel] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return target;
}
