'use strict';
/* Conditions over the columns of a table: the language of `firesweep query --where`, small and evaluated here. A condition
   compiles to a function of a row; numbers compare with numbers, texts with texts, and nothing compares with null but
   = and !=. Column names are looked up, never evaluated. */

const UNITS = {'': 1, '%': 0.01, k: 1e3, m: 1e6, g: 1e9, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1048576, gib: 1073741824};
const TOKEN = /\s*(?:(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)\s*(%|[kmg]i?b|[kmg]\b)?|'([^']*)'|"([^"]*)"|([a-z_]\w*)|(<=|>=|==|!=|<>|[-+*\/()<>=]))/iy;
const COMPARE = {
  '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b,
  '=': (a, b) => a === b, '==': (a, b) => a === b, '!=': (a, b) => a !== b, '<>': (a, b) => a !== b,
};

class FilterError extends Error {}

function filterTokens(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex, found = TOKEN.exec(text);
    if (!found) throw new FilterError(`character ${at + 1}: "${text.slice(at).trim().slice(0, 12)}" belongs to no condition`);
    const [whole, number, unit, single, double, name, sign] = found;
    const place = at + whole.length - whole.trimStart().length + 1;
    if (number !== undefined) tokens.push({kind: 'value', value: Number(number) * UNITS[(unit || '').toLowerCase()], place});
    else if (single !== undefined || double !== undefined) tokens.push({kind: 'value', value: single ?? double, place});
    else if (name !== undefined) tokens.push({kind: 'name', text: name.toLowerCase(), shown: name, place});
    else tokens.push({kind: 'sign', text: sign, place});
  }
  tokens.push({kind: 'end', text: 'the end', place: text.length + 1});
  return tokens;
}

/* columns: a Map from lower-case names to functions of a row. Returns the function of a row. */
function compileFilter(text, columns) {
  const tokens = filterTokens(text);
  let at = 0;
  const peek = (...texts) => (tokens[at].kind === 'sign' || tokens[at].kind === 'name') && texts.includes(tokens[at].text);
  const take = (...texts) => peek(...texts) ? tokens[at++] : null;
  const wrong = (wanted) => {
    const t = tokens[at];
    throw new FilterError(`character ${t.place}: ${wanted} expected, found ${t.kind === 'value' ? JSON.stringify(t.value) : t.shown || t.text}`);
  };
  const number = (v, sign, place) => {
    if (v !== null && typeof v !== 'number') throw new FilterError(`character ${place}: ${sign} is for numbers`);
    return v;
  };

  function primary() {
    const t = tokens[at];
    if (take('(')) {
      const inner = either();
      if (!take(')')) wrong(')');
      return inner;
    }
    if (take('-')) {
      const inner = primary();
      return {value: (r) => { const v = number(inner.value(r), '-', t.place); return v === null ? null : -v; }};
    }
    if (t.kind === 'value') { at++; return {value: () => t.value}; }
    if (take('null')) return {value: () => null, isNull: true};
    if (t.kind !== 'name' || ['and', 'or', 'not'].includes(t.text)) wrong('a column, a number or a text in quotes');
    const get = columns.get(t.text);
    if (!get) throw new FilterError(`character ${t.place}: there is no column "${t.shown}"${nearest(t.text, columns)}`);
    at++;
    return {value: (r) => get(r) ?? null};
  }
  function arithmetic(operand, signs, compute) {
    let left = operand();
    for (let t; (t = take(...signs));) {
      const a = left, b = operand(), sign = t.text, place = t.place;
      if (!a.value || !b.value) throw new FilterError(`character ${place}: ${sign} is for numbers`);
      left = {value: (r) => {
        const x = number(a.value(r), sign, place), y = number(b.value(r), sign, place);
        return x === null || y === null ? null : compute[sign](x, y);
      }};
    }
    return left;
  }
  const product = () => arithmetic(primary, ['*', '/'], {'*': (x, y) => x * y, '/': (x, y) => y === 0 ? null : x / y});
  const sum = () => arithmetic(product, ['+', '-'], {'+': (x, y) => x + y, '-': (x, y) => x - y});
  function comparison() {
    if (take('not')) {
      const inner = truth(comparison());
      return {truth: (r) => !inner(r)};
    }
    const left = sum(), sign = take(...Object.keys(COMPARE));
    if (!sign) return left;
    if (!left.value) throw new FilterError(`character ${sign.place}: a condition cannot be compared`);
    const right = sum(), compare = COMPARE[sign.text], equality = /^(==?|!=|<>)$/.test(sign.text);
    if (!right.value) wrong('a value');
    if ((left.isNull || right.isNull) && !equality) throw new FilterError(`character ${sign.place}: null is compared with = or !=`);
    return {truth: (r) => {
      const a = left.value(r), b = right.value(r);
      if (left.isNull || right.isNull) return compare(a, b);
      return a !== null && b !== null && typeof a === typeof b && compare(a, b);
    }};
  }
  function truth(node) {
    return node.truth || wrong('a comparison such as < or =');
  }
  function chain(operand, word, combine) {
    let node = operand();
    while (take(word)) {
      const a = truth(node), b = truth(operand());
      node = {truth: combine(a, b)};
    }
    return node;
  }
  const both = () => chain(comparison, 'and', (a, b) => (r) => a(r) && b(r));
  const either = () => chain(both, 'or', (a, b) => (r) => a(r) || b(r));

  const test = truth(either());
  if (tokens[at].kind !== 'end') wrong('and, or, or the end');
  return test;
}

/* "; did you mean ..." */
function nearest(name, columns) {
  const close = [...columns.keys()].filter((c) => c.startsWith(name.slice(0, 3)) || c.includes(name) || name.includes(c));
  return close.length ? `; there is ${close.slice(0, 4).join(', ')}` : '';
}

/* Words without a comparison are searched for. */
function looksLikeCondition(text) {
  return /[<>=]|^\s*not\b/i.test(text);
}
