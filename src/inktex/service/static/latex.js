// LaTeX as tokens: cutting, joining, comparing, and the characters that commands stand for.

const TOKEN = /\\(?:begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+|\\[^\s]|[^\s]/gu;

// Tokens that are no mark on paper: they say how the others stand.
const SILENT = new Set("{ } ^ _ & \\\\ \\left \\right \\limits \\nolimits \\displaystyle \\hline".split(" "));

const CHARACTERS = new Map(
  pairs(`
  alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ
  lambda λ mu μ nu ν xi ξ pi π rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ
  omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
  times × div ÷ pm ± mp ∓ cdot ⋅ ast ∗ star ⋆ circ ∘ bullet ∙ oplus ⊕ otimes ⊗ wedge ∧ vee ∨ cap ∩ cup ∪
  leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫
  in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ emptyset ∅ forall ∀ exists ∃ neg ¬
  rightarrow → to → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ mapsto ↦
  infty ∞ partial ∂ nabla ∇ prime ′ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ angle ∠ perp ⊥ parallel ∥ mid ∣
  sum ∑ prod ∏ int ∫ iint ∬ oint ∮ ldots … dots … cdots ⋯ vdots ⋮ ddots ⋱ langle ⟨ rangle ⟩ lfloor ⌊
  rfloor ⌋ lceil ⌈ rceil ⌉ | ∥ { { } } % % $ $ # # & & _ _ sqrt √ frac ― overline ¯ triangle △`),
);

/**
 * @param {string} text names and characters in turn
 * @returns {[string, string][]}
 */
function pairs(text) {
  const words = text.trim().split(/\s+/u);
  return words.flatMap((word, i) =>
    i % 2 ? [] : [/** @type {[string, string]} */ ([`\\${word}`, words[i + 1]])],
  );
}

/**
 * @param {string} latex
 * @returns {string[]}
 */
export function tokensOf(latex) {
  return latex.match(TOKEN) ?? [];
}

/**
 * Tokens as one line of LaTeX: a space only where letters would run into a command.
 * @param {string[]} tokens
 */
export function latexOf(tokens) {
  let latex = "";
  for (const token of tokens) {
    if (/\\[a-zA-Z]+$/u.test(latex) && /^[a-zA-Z]/u.test(token)) latex += " ";
    latex += token;
  }
  return latex;
}

/**
 * Whether a token is written on paper.
 * @param {string} token
 */
export function isWritten(token) {
  return !SILENT.has(token) && !token.startsWith("\\begin") && !token.startsWith("\\end");
}

/**
 * How a token looks: its character, or the word of a function; an unknown command stays as it is.
 * @param {string} token
 */
export function glyph(token) {
  const character = CHARACTERS.get(token);
  if (character) return character;
  if (token === "-") return "−";
  return /^\\[a-zA-Z]+$/u.test(token) ? token.slice(1) : token;
}

/**
 * Whether the look of a command is known for certain.
 * @param {string} token
 */
export function hasGlyph(token) {
  return CHARACTERS.has(token) || !token.startsWith("\\");
}

/** @typedef {{from: [number, number], to: [number, number]}} Difference ranges of two sequences that differ */

/**
 * Where two sequences differ, by a longest common subsequence.
 * @param {string[]} a
 * @param {string[]} b
 * @returns {Difference[]}
 */
export function differences(a, b) {
  const common = Array.from({ length: a.length + 1 }, () => new Int32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  /** @type {Difference[]} */
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      [i, j] = [i + 1, j + 1];
      continue;
    }
    const [start, begin] = [i, j];
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) break;
      if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) i += 1;
      else j += 1;
    }
    found.push({ from: [start, i], to: [begin, j] });
  }
  return found;
}

/**
 * Where each token stands in a line of LaTeX made of these tokens.
 * @param {string} latex
 * @returns {{token: string, start: number, end: number}[]}
 */
export function places(latex) {
  return [...latex.matchAll(TOKEN)].map((match) => ({
    token: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}
