'use strict';
/* Conditions over the columns of a table: the language of `firesweep query --where` (src/sweep/expression.h), with its
   checks and messages, evaluated here. A condition compiles to a function of a row. Column names are looked up, never
   evaluated. tests/e2e/test_report_page.c asks the command and the page the same. */

const SCALES = {K: 1e3, KB: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9, KiB: 1024, MiB: 1048576, GiB: 1073741824};
const DURATION = /^(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s)?$/;
const TYPES = {number: 'a number', truth: 'true or false', text: 'a text', any: 'anything'};
const UNITS = {any: 'a number', plain: 'a plain number', bytes: 'bytes', MiB: 'MiB', time: 'a time', ms: 'milliseconds'};
const LITERALS = {any: 'any number', plain: '5, 50%, 5K, 5M or 5G', bytes: '5, 5KB, 5MB, 5GB, 5KiB, 5MiB or 5GiB',
  MiB: '5 (MiB), 5KB, 5MB, 5GB, 5KiB, 5MiB or 5GiB', time: '5 (seconds), 5s, 5m, 5h, 5d or 1h30m', ms: '5 (milliseconds), 5s, 5m, 5h or 5d'};
const KEYWORDS = ['and', 'or', 'not', 'in'], LONGEST = 2000, DEEPEST = 50;
const POOLS = ['conv1', 'fire2', 'fire3', 'fire4', 'fire5', 'fire6', 'fire7', 'fire8', 'fire9'];

/* at: in the text's UTF-16 units, as JavaScript counts; the message has characters. */
class FilterError extends Error {
  constructor(at, problem) {
    super(problem);
    this.at = at;
  }
}

function failAt(at, text) {
  throw new FilterError(at, text);
}

const quoted = (text) => `"${text.length > 58 ? `${text.slice(0, 58)}...` : text}"`;

/* Tokens: {kind: 'number', 'text', 'name', 'sign' or 'end', text: as it is written, at: where} */

/* 5MiB, 5 MiB, 200K, 80%, 90s, 1h30m: the value and its unit ('any' goes with everything). */
function numberToken(rest, at) {
  const [digits] = /^(?:e[-+](?=\d)|[\w.])*/i.exec(rest), bare = /[\d.]$/.test(digits);
  const [gap, unit] = bare && /^ +(K|M|G|[KMG]i?B|[smhd])(?!\w)/.exec(rest.slice(digits.length)) || ['', ''];
  const percent = bare && rest[digits.length] === '%', text = digits + unit;
  const token = {kind: 'number', at, text: rest.slice(0, digits.length + gap.length + percent)};
  const scaled = /^((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)$/i.exec(text);
  const time = DURATION.exec(text), parts = time ? time.slice(1).map((part) => Number(part || 0)) : [NaN];
  if (scaled && scaled[2] === '') return finite({...token, value: Number(text) / (percent ? 100 : 1), unit: percent ? 'plain' : 'any'}, text);
  if (scaled && Object.hasOwn(SCALES, scaled[2]))
    return finite({...token, value: scaled[1] * SCALES[scaled[2]], unit: text.includes('B') ? 'bytes' : 'plain'}, text);
  return finite({...token, value: parts.reduce((sum, part, i) => sum + part * [86400, 3600, 60, 1][i], 0), unit: 'time'}, text);
}

function finite(token, text) {
  if (Number.isFinite(token.value)) return token;
  return failAt(token.at, `${quoted(text)} is no number, allowed: digits with an optional unit %, K, M, G, KB, MB, GB, KiB, MiB, GiB, s, m, h or d; a text stands in quotes`);
}

function textToken(rest, at) {
  const found = /^'((?:[^']|'')*)'|^"((?:[^"]|"")*)"/.exec(rest);
  if (!found) failAt(at, 'the quote is not closed');
  return {kind: 'text', at, text: found[0], value: found[0].slice(1, -1).replaceAll(rest[0] + rest[0], rest[0])};
}

function signToken(rest, at) {
  const [text] = /^(?:<=|>=|==|!=|<>|&&|\|\||[-<>=()[\],+*/])?/.exec(rest);
  if (!text) failAt(at, `${quoted(String.fromCodePoint(rest.codePointAt(0)))} means nothing here, allowed: names, numbers, quoted texts, and, or, not, in, comparisons, + - * / ( ) [ ]`);
  return {kind: 'sign', at, text};
}

function nextToken(text, from) {
  const at = from + /^[ \t\n]*/.exec(text.slice(from))[0].length, rest = text.slice(at);
  if (!rest) return {kind: 'end', at, text: ''};
  if (/^\.?\d/.test(rest)) return numberToken(rest, at);
  if (/^[a-z_]/i.test(rest)) return {kind: 'name', at, text: /^\w+/.exec(rest)[0]};
  return /^['"]/.test(rest) ? textToken(rest, at) : signToken(rest, at);
}

/* Nodes: {op, type: of TYPES, unit: of UNITS, at, end: in the text, get: the value for a row, null for none; truths are 1
   and 0}. `word`: a text without quotes, which may be a name that nobody knows. */

/* What stands between MiB and bytes, milliseconds and seconds. */
function settled(node, other) {
  const factor = node.unit === 'MiB' && other.unit === 'bytes' ? SCALES.MiB : node.unit === 'ms' && other.unit === 'time' ? 1e-3 : 0;
  return factor ? {...node, op: 'arithmetic', unit: other.unit, get: (r) => { const v = node.get(r); return v === null ? null : factor * v; }} : node;
}

/* ", did you mean ...?": the words that are most alike, at most a third of their letters differ. */
function alike(name, names, most = 3) {
  let best = Math.floor(name.length / 3) + 1, found = [];
  for (const known of names) {
    const d = editDistance(name.toLowerCase(), known.toLowerCase());
    if (d >= known.length || d > best) continue;
    found = d < best ? [known] : [...found, known];
    best = d;
  }
  if (!found.length) found = names.filter((n) => Math.min(n.length, name.length) > 2 && (n.toLowerCase().includes(name.toLowerCase()) || name.toLowerCase().includes(n.toLowerCase())));
  found = found.slice(0, most);
  return found.length ? `, did you mean ${found.slice(0, -1).join(', ')}${found.length > 1 ? ' or ' : ''}${found.at(-1)}?` : '';
}

/* Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a, b) {
  const rows = [Array.from({length: b.length + 1}, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      let d = Math.min(rows[i - 1][j - 1] + (a[i - 1] !== b[j - 1]), rows[i - 1][j] + 1, rows[i][j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, rows[i - 2][j - 2] + 1);
      rows[i][j] = d;
    }
  }
  return rows[a.length][b.length];
}

/* The one form of a text as a value of a column; null: it is none. */
function canonical(column, text) {
  if (!column.allowed) return text;
  if (column.values) return column.values.includes(text) ? text : null;
  if (column.name !== 'pools') return /^\d+x\d+x\d+$/.test(text) ? text : null; /* an input */
  if (text === 'none') return text;
  const places = text.trim().split(/ *, */);
  return places.every((p, i) => POOLS.includes(p) && places.indexOf(p) === i) ? POOLS.filter((p) => places.includes(p)).join() : null;
}

/* columns: a Map from lower-case names to {name, get: a function of a row, type, unit, share: from 0 to 1, allowed and
   values: of texts}. Returns the function of a row; throws FilterError, which says where. */
function compileFilter(text, columns) {
  try {
    return compileCondition(text, columns);
  } catch (problem) {
    if (problem instanceof FilterError) problem.message = `character ${[...text.slice(0, problem.at)].length + 1}: ${problem.message}`;
    throw problem;
  }
}

function compileCondition(text, columns) {
  if (text.length > LONGEST) failAt(0, `is too long, at most ${LONGEST} characters are allowed`);
  let token = nextToken(text, 0), end = 0, depth = 0;
  const source = (node) => quoted(text.slice(node.at, node.end));
  const advance = () => { end = token.at + token.text.length; token = nextToken(text, end); };
  const is = (...texts) => ['sign', 'name'].includes(token.kind) && texts.includes(token.text.toLowerCase());
  const accept = (...texts) => is(...texts) && (advance(), true);
  const unexpected = (allowed) => failAt(token.at, token.kind === 'end' ? `the condition ends too early, allowed: ${allowed}`
    : `${quoted(token.text)} does not belong here, allowed: ${allowed}`);
  const unexpectedAfter = (x, last) => unexpected(`${x.type === 'truth' ? 'and, or, a further comparison'
    : x.op === 'name' ? '<, <=, >, >=, =, != (= null too), in, not in' : '<, <=, >, >=, =, !=, in, not in'}, + - * / or ${last}`);

  function unknown(node) {
    const joined = /[-/]$/.test(text.slice(0, node.at)) || /^[-/]/.test(text.slice(node.end));
    failAt(node.at, `${source(node)} is unknown${alike(node.value, [...columns.values()].map((c) => c.name))}${joined ? ' (a text with - or / in it stands in quotes)' : ''}; allowed: the columns listed below`);
  }
  function expect(node, type) {
    if (node.word) unknown(node);
    if (node.op === 'null') failAt(node.at, 'null stands only beside = and !=');
    if (node.type === type || (node.type === 'any' && type !== 'truth')) return node;
    return failAt(node.at, type === 'truth' ? `${source(node)} alone is no condition: a comparison is missing, allowed: <, <=, >, >=, =, != or in`
      : `${source(node)} is ${TYPES[node.type]} where ${TYPES[type]} is needed`);
  }
  const truth = (a, b, get) => ({op: 'truth', type: 'truth', unit: 'any', at: a.at, end: b.end, get: (r) => get(r) ? 1 : 0});
  function inOneUnit(left, right) {
    const a = settled(left, right), b = settled(right, left);
    if (a.unit === 'any' || b.unit === 'any' || a.unit === b.unit) return [a, b];
    const [wrong, other] = a.op === 'number' ? [a, b] : [b, a], literal = a.op === 'number' || b.op === 'number';
    return failAt(wrong.at, `${source(other)} is ${UNITS[other.unit]} but ${source(wrong)} is ${UNITS[wrong.unit]}, allowed: ${literal ? LITERALS[other.unit] : 'equal units'}`);
  }
  function arithmetic(sign, left, right) {
    let a = expect(left, 'number'), b = expect(right, 'number'), unit = 'any';
    const plain = (node) => ['any', 'plain'].includes(node.unit), sum = sign === '+' || sign === '-';
    if (sign === '/' && b.op === 'number' && b.value === 0) failAt(b.at, 'division by zero');
    if (sum) {
      [a, b] = inOneUnit(a, b);
      unit = a.unit === 'any' ? b.unit : a.unit;
    } else if (plain(a) && plain(b)) unit = a.unit === 'plain' || b.unit === 'plain' ? 'plain' : 'any';
    else if (plain(a) !== plain(b) && (sign === '*' || plain(b))) unit = plain(a) ? b.unit : a.unit;
    const compute = {'+': (x, y) => x + y, '-': (x, y) => x - y, '*': (x, y) => x * y, '/': (x, y) => y === 0 ? null : x / y}[sign];
    return {op: 'arithmetic', type: 'number', unit, at: a.at, end: b.end, get: (r) => {
      const x = a.get(r), y = b.get(r);
      return x === null || y === null ? null : compute(x, y);
    }};
  }

  /* A text beside a column must be one of its values. */
  function literal(node, other) {
    if (node.op !== 'text') return node;
    if (node.word && other.op === 'name' && other.type === 'truth') failAt(node.at, `${source(node)} is no value of ${other.column.name}, allowed: true or false`);
    if (other.op !== 'name' || !['text', 'any'].includes(other.type)) return node.word ? unknown(node) : node;
    const value = canonical(other.column, node.value);
    if (value === null) {
      const guess = other.column.values ? alike(node.value, other.column.values, 1).replace('?', '?;') : '';
      failAt(node.at, `${source(node)} is no value of ${other.column.name}${guess || ','} allowed: ${other.column.allowed}`);
    }
    return {...node, word: false, wasWord: node.word && !other.column.allowed, get: () => value};
  }
  function share(node, other) {
    if (node.op !== 'name' || !node.column.share || other.op !== 'number' || other.value <= 1) return;
    const percent = other.unit === 'any' && other.value <= 100 ? other.value : 90;
    failAt(other.at, `${source(other)} is no value of ${node.column.name}, a share from 0 to 1, allowed: ${Number((percent / 100).toPrecision(6))} or ${percent}% for ${percent} percent`);
  }
  function comparison(sign, left, right) {
    const equality = sign === '=' || sign === '!=';
    if (left.op === 'null' || right.op === 'null') {
      const [nothing, node] = left.op === 'null' ? [left, right] : [right, left];
      if (!equality) failAt(nothing.at, 'null has no order, allowed: = and !=');
      if (node.word) unknown(node);
      return truth(left, right, (r) => (node.get(r) === null) === (sign === '='));
    }
    let a = literal(left, right), b = literal(right, left);
    if (!equality && (a.wasWord || b.wasWord)) unknown(a.wasWord ? a : b); /* rather a name */
    if (a.type !== b.type && a.type !== 'any' && b.type !== 'any' && (a.type === 'text' || b.type === 'text'))
      failAt(b.at, `${source(a)} is ${TYPES[a.type]} but ${source(b)} is ${TYPES[b.type]}, allowed: two of one kind`);
    const choice = [a, b].find((node) => node.op === 'name' && node.column.allowed);
    if (!equality && choice) failAt(choice.at, `${source(choice)} has no order, allowed: = and !=`);
    share(a, b);
    share(b, a);
    [a, b] = inOneUnit(a, b);
    for (const [place, other] of [[a, b], [b, a]])
      if (place.op === 'name' && ['block', 'sweep'].includes(place.column.name) && other.op === 'name' && other.column !== place.column)
        failAt(other.at, `${text.slice(other.at, other.end)} is a column; the name of a block or sweep stands in quotes then: '${text.slice(other.at, other.end)}'`);
    if (equality && (a.column?.spellings || b.column?.spellings)) {
      const [block, other] = a.column?.spellings ? [a, b] : [b, a];
      return truth(a, b, (r) => block.column.spellings(r).includes(other.get(r)) === (sign === '='));
    }
    if (equality) return truth(a, b, (r) => (a.get(r) === b.get(r)) === (sign === '='));
    const less = (x, y) => typeof x === typeof y ? x < y : typeof x === 'number'; /* as SQLite: numbers before texts */
    const holds = {'<': less, '>': (x, y) => less(y, x), '<=': (x, y) => !less(y, x), '>=': (x, y) => !less(x, y)}[sign];
    return truth(a, b, (r) => {
      const x = a.get(r), y = b.get(r);
      return x !== null && y !== null && holds(x, y);
    });
  }

  function word(t) {
    const here = {at: t.at, end: t.at + t.text.length, unit: 'any'}, name = t.text.toLowerCase(), c = t.kind === 'name' && columns.get(name);
    if (c) return {...here, op: 'name', type: c.type, unit: c.unit, column: c, get: (r) => { const v = c.get(r) ?? null; return Number.isNaN(v) ? null : v; }};
    if (t.kind === 'name' && ['true', 'false'].includes(name)) return {...here, op: 'truth', type: 'truth', get: () => name === 'true' ? 1 : 0};
    if (t.kind === 'name' && name === 'null') return {...here, op: 'null', type: 'any', get: () => null};
    const value = t.kind === 'name' ? t.text : t.value;
    return {...here, op: 'text', type: 'text', word: t.kind === 'name', value, get: () => value};
  }
  function primary() {
    const t = token;
    if (accept('(')) {
      const x = either();
      if (!accept(')')) unexpectedAfter(x, ')');
      return x.op === 'arithmetic' ? {...x, at: t.at, end} : x; /* messages quote it with its parentheses */
    }
    if (!['number', 'text', 'name'].includes(t.kind) || (t.kind === 'name' && is(...KEYWORDS))) unexpected('a name, a number, a quoted text, true, false, null, - or (');
    advance();
    return t.kind === 'number' ? {op: 'number', type: 'number', unit: t.unit, value: t.value, at: t.at, end, get: () => t.value} : word(t);
  }
  function deeper(parse) {
    if (++depth > DEEPEST) failAt(token.at, `is nested too deeply, at most ${DEEPEST} levels are allowed`);
    const x = parse();
    depth--;
    return x;
  }
  const signed = () => deeper(() => {
    if (!accept('-')) return primary();
    const x = expect(signed(), 'number');
    return {op: 'arithmetic', type: 'number', unit: x.unit, at: x.at, end: x.end, get: (r) => { const v = x.get(r); return v === null ? null : -v; }};
  });
  function operation(operand, ...signs) {
    let x = operand();
    while (is(...signs)) {
      const sign = token.text;
      advance();
      x = arithmetic(sign, x, operand());
    }
    return x;
  }
  const product = () => operation(signed, '*', '/');
  const sum = () => operation(product, '+', '-');
  const or = (a, b) => truth(a, b, (r) => a.get(r) || b.get(r)), and = (a, b) => truth(a, b, (r) => a.get(r) && b.get(r));
  const not = (x) => { expect(x, 'truth'); return truth(x, x, (r) => !x.get(r)); };
  function list(left) {
    const close = is('[') ? ']' : ')';
    if (!accept('[', '(')) unexpected('a list such as [1, 2, 4]');
    let any = null;
    do {
      const same = comparison('=', left, sum());
      any = any ? or(any, same) : same;
    } while (accept(','));
    return accept(close) ? any : unexpected(`+ - * /, a comma or ${close}`);
  }
  function chain() {
    let x = sum(), all = null;
    if (accept('in')) return list(x);
    if (accept('not')) return accept('in') ? not(list(x)) : unexpected('in');
    while (is('<', '<=', '>', '>=', '=', '==', '!=', '<>')) {
      const sign = {'==': '=', '<>': '!='}[token.text] || token.text;
      advance();
      const right = sum(), one = comparison(sign, x, right);
      all = all ? and(all, one) : one;
      x = right;
    }
    return all || x;
  }
  const negation = () => deeper(() => accept('not') ? not(negation()) : chain());
  function joined(operand, join, ...words) {
    let x = operand();
    while (accept(...words)) {
      const b = operand();
      x = join(expect(x, 'truth'), expect(b, 'truth'));
    }
    return x;
  }
  const both = () => joined(negation, and, 'and', '&&');
  const either = () => joined(both, or, 'or', '||');

  const x = either();
  if (token.kind !== 'end') unexpectedAfter(x, 'the end');
  return expect(x, 'truth').get;
}

/* Other words are searched for. A condition has a comparison, a quote or a list, begins with not, or is made of columns
   and numbers alone. */
function looksLikeCondition(text, columns) {
  if (/[<>=]|&&|\|\||(^|[\s([,])['"]|^\s*not\b|\bin\s*[[(]/i.test(text)) return true;
  const words = text.toLowerCase().match(/[a-z_]\w*|\d[\w.]*/g) || [], number = (w) => /^\d/.test(w);
  const known = (w) => columns.has(w) || number(w) || [...KEYWORDS, 'true', 'false', 'null'].includes(w);
  return words.length > 0 && words.every(known) && (/[*/+]/.test(text) || !words.every(number));
}
