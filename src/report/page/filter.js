'use strict';
/* Conditions over the columns of a table: the language of `firesweep query --where` (src/sweep/expression.h), evaluated
   here. A condition compiles to a function of a row; numbers compare with numbers, texts with texts, bytes with bytes,
   and nothing compares with null but = and !=. Column names are looked up, never evaluated. */

const COUNTS = {K: 1e3, M: 1e6, G: 1e9}, SECONDS = {s: 1, m: 60, h: 3600, d: 86400};
const BYTES = {KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1048576, GiB: 1073741824};
const TOKEN = /\s*(?:(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)\s*(%|[a-z]\w*)?|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([a-z_]\w*)|(<=|>=|==|!=|<>|&&|\|\||[-+*\/()<>=![\],]))/iy;
const COMPARE = {
  '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b,
  '=': (a, b) => a === b, '!=': (a, b) => a !== b,
};
const SAME = {'==': '=', '<>': '!=', '&&': 'and', '||': 'or', '!': 'not'};
const WORDS = ['and', 'or', 'not', 'in', 'null', 'true', 'false'];

class FilterError extends Error {}

function failAt(place, text) {
  throw new FilterError(`character ${place}: ${text}`);
}

/* 5MiB, 200K, 80%, 90s, 1h30m: the value and its unit ('' goes with everything). */
function numberToken(number, unit, place) {
  const token = {kind: 'number', value: Number(number), unit: '', place};
  if (!unit) return token;
  const time = /^([smhd])((?:\d+[smhd])*)$/.exec(unit);
  if (unit === '%') Object.assign(token, {value: token.value / 100, unit: 'plain'});
  else if (Object.hasOwn(COUNTS, unit)) Object.assign(token, {value: token.value * COUNTS[unit], unit: 'plain'});
  else if (Object.hasOwn(BYTES, unit)) Object.assign(token, {value: token.value * BYTES[unit], unit: 'bytes'});
  else if (time) {
    token.value *= SECONDS[time[1]];
    for (const [, n, of] of time[2].matchAll(/(\d+)([smhd])/g)) token.value += n * SECONDS[of];
    token.unit = 'seconds';
  } else failAt(place, `${number}${unit} has no unit that is known: %, K, M, G, KB to GiB, s, m, h, d`);
  return token;
}

function filterTokens(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex, found = TOKEN.exec(text);
    if (!found) failAt(at + 1, `"${text.slice(at).trim().slice(0, 12)}" belongs to no condition`);
    const [whole, number, after, single, double, name, sign] = found;
    /* A word behind a number and a blank is the next word, unless it is a unit. */
    const apart = after && /\s/.test(whole.trimStart()) && !(Object.hasOwn(COUNTS, after) || Object.hasOwn(BYTES, after) || after === '%');
    if (apart) TOKEN.lastIndex -= after.length;
    const place = at + whole.length - whole.trimStart().length + 1;
    if (number !== undefined) tokens.push(numberToken(number, apart ? '' : after, place));
    else if (single !== undefined) tokens.push({kind: 'text', value: single.replaceAll("''", "'"), place});
    else if (double !== undefined) tokens.push({kind: 'text', value: double.replaceAll('""', '"'), place});
    else if (name !== undefined) tokens.push({kind: 'name', text: name.toLowerCase(), shown: name, place});
    else tokens.push({kind: 'sign', text: SAME[sign] || sign, shown: sign, place});
  }
  tokens.push({kind: 'end', text: '', shown: 'the end', place: text.length + 1});
  return tokens;
}

/* What a column's numbers are, which their names say. */
function unitOf(name) {
  if (/_bytes(_|$)/.test(name)) return 'bytes';
  if (/_mib$/.test(name)) return 'MiB';
  return /_ms$/.test(name) ? 'milliseconds' : /_s$/.test(name) ? 'seconds' : 'plain';
}

/* Nodes are values, {type: 'number', 'text', 'any' (of a column without values), 'null' or 'word', unit, get}, or truths,
   {truth}. */

const SETTLES = {MiB: ['bytes', BYTES.MiB], milliseconds: ['seconds', 1e-3]};

/* MiB that meet bytes are turned into them, milliseconds that meet a time into seconds. */
function settled(node, other) {
  const [unit, factor] = SETTLES[node.unit] || [];
  return unit && other.unit === unit ? {...node, unit, get: (r) => { const v = node.get(r); return v === null ? null : factor * v; }} : node;
}

function inOneUnit(left, right, place, sign) {
  const a = settled(left, right), b = settled(right, left);
  if (a.unit && b.unit && a.unit !== b.unit) failAt(place, `${sign}: one side is ${unitText(a)}, the other ${unitText(b)}`);
  return [a, b];
}

function unitText(node) {
  return node.unit === 'plain' ? 'a plain number' : `in ${node.unit}`;
}

function valueOf(node, place, columns) {
  if (node.truth) failAt(place, 'a condition is no value');
  if (node.type === 'word') failAt(node.token.place, `there is no column "${node.token.shown}"${nearest(node.token.text, columns)}`);
  return node;
}

/* A word beside a text is one. */
function worded(node, other) {
  return node.type === 'word' && ['text', 'any'].includes(other.type) ? {type: 'text', unit: '', get: () => node.token.shown} : node;
}

/* The function of a row that says whether `left` stands so to `right`. */
function comparison(left, sign, right, columns) {
  let a = valueOf(worded(left, right), sign.place, columns), b = valueOf(worded(right, left), sign.place, columns);
  const compare = COMPARE[sign.text], equality = sign.text === '=' || sign.text === '!=';
  if (a.type === 'null' || b.type === 'null') {
    if (!equality) failAt(sign.place, 'null is compared with = or !=');
    return (r) => compare(a.get(r), b.get(r));
  }
  if (a.type !== b.type && a.type !== 'any' && b.type !== 'any') failAt(sign.place, `${sign.shown}: one side is a number, the other a text`);
  [a, b] = inOneUnit(a, b, sign.place, sign.shown);
  return (r) => {
    const x = a.get(r), y = b.get(r);
    return x !== null && y !== null && compare(x, y);
  };
}

function arithmetic(left, sign, right, columns) {
  const compute = {'+': (x, y) => x + y, '-': (x, y) => x - y, '*': (x, y) => x * y, '/': (x, y) => y === 0 ? null : x / y}[sign.text];
  let a = valueOf(left, sign.place, columns), b = valueOf(right, sign.place, columns), unit = '';
  for (const node of [a, b]) if (node.type !== 'number' && node.type !== 'any') failAt(sign.place, `${sign.text} is for numbers`);
  if (sign.text === '+' || sign.text === '-') {
    [a, b] = inOneUnit(a, b, sign.place, sign.text);
    unit = a.unit || b.unit;
  } else { /* of bytes and a plain number they are bytes; of two other units nothing is known */
    const plain = (node) => node.unit === '' || node.unit === 'plain';
    if (plain(a) && plain(b)) unit = a.unit || b.unit;
    else if (plain(b)) unit = a.unit;
    else if (plain(a) && sign.text === '*') unit = b.unit;
  }
  return {type: 'number', unit, get: (r) => {
    const x = a.get(r), y = b.get(r);
    return x === null || y === null ? null : compute(x, y);
  }};
}

/* columns: a Map from lower-case names to {get: a function of a row, number: whether its values are numbers, empty:
   whether it has none}. Returns the function of a row. */
function compileFilter(text, columns) {
  const tokens = filterTokens(text);
  let at = 0;
  const peek = (...texts) => ['sign', 'name'].includes(tokens[at].kind) && texts.includes(tokens[at].text);
  const take = (...texts) => peek(...texts) ? tokens[at++] : null;
  const wrong = (wanted) => {
    const t = tokens[at];
    failAt(t.place, `${wanted} expected, found ${t.shown ?? JSON.stringify(t.value)}`);
  };

  function primary() {
    const t = tokens[at];
    if (take('(')) {
      const inner = either();
      return take(')') ? inner : wrong(')');
    }
    if (take('-')) return arithmetic({type: 'number', unit: '', get: () => 0}, t, primary(), columns);
    if (take('null')) return {type: 'null', unit: '', get: () => null};
    if (take('true', 'false')) return {type: 'number', unit: '', get: () => Number(t.text === 'true')};
    if (t.kind === 'end' || t.kind === 'sign' || WORDS.includes(t.text)) wrong('a column, a number or a text in quotes');
    at++;
    if (t.kind !== 'name') return {type: t.kind, unit: t.unit || '', get: () => t.value};
    const c = columns.get(t.text);
    if (!c) return {type: 'word', token: t};
    return {type: c.empty ? 'any' : c.number ? 'number' : 'text', unit: c.number ? unitOf(t.text) : '', get: (r) => c.get(r) ?? null};
  }
  function operation(operand, ...signs) {
    let left = operand();
    for (let t; (t = take(...signs));) left = arithmetic(left, t, operand(), columns);
    return left;
  }
  const product = () => operation(primary, '*', '/');
  const sum = () => operation(product, '+', '-');
  function list(left, negated) {
    const tests = [], equal = {text: '=', shown: 'in', place: tokens[at].place};
    if (!take('[')) wrong('[');
    do tests.push(comparison(left, equal, sum(), columns)); while (take(','));
    if (!take(']')) wrong(', or ]');
    return {truth: (r) => tests.some((test) => test(r)) !== negated};
  }
  function chain() {
    const tests = [];
    let left = sum();
    if (take('in')) return list(left, false);
    if (peek('not') && tokens[at + 1].text === 'in') {
      at += 2;
      return list(left, true);
    }
    for (let sign; (sign = take(...Object.keys(COMPARE)));) {
      const right = sum();
      tests.push(comparison(left, sign, right, columns));
      left = right;
    }
    return tests.length ? {truth: (r) => tests.every((test) => test(r))} : left;
  }
  function negation() {
    if (!take('not')) return chain();
    const inner = truth(negation());
    return {truth: (r) => !inner(r)};
  }
  function truth(node) {
    if (node.type === 'word') valueOf(node, 0, columns);
    return node.truth || wrong('a comparison such as < or =');
  }
  function joined(operand, word, combine) {
    let node = operand();
    while (take(word)) {
      const a = truth(node), b = truth(operand());
      node = {truth: combine(a, b)};
    }
    return node;
  }
  const both = () => joined(negation, 'and', (a, b) => (r) => a(r) && b(r));
  const either = () => joined(both, 'or', (a, b) => (r) => a(r) || b(r));

  const test = truth(either());
  if (tokens[at].kind !== 'end') wrong('and, or, or the end');
  return test;
}

/* "; there is ...": columns whose names are alike. */
function nearest(name, columns) {
  const close = [...columns.keys()].filter((c) => c.startsWith(name.slice(0, 3)) || c.includes(name) || name.includes(c));
  return close.length ? `; there is ${close.slice(0, 4).join(', ')}` : '';
}

/* Words without a comparison are searched for. */
function looksLikeCondition(text) {
  return /[<>=]|^\s*(not|!)\b|\bin\s*\[/i.test(text);
}
