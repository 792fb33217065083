/* Elements and charts. Texts go in as text nodes, so nothing in them is markup. */

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/* Round places for about n ticks. */
function ticks(low, high, n) {
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((s) => s * power >= raw * 0.999);
  const list = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) list.push(Number((k * step).toPrecision(12)));
  return list;
}

function shortNumber(v) {
  const a = Math.abs(v);
  if (a >= 1e9) return `${Number((v / 1e9).toPrecision(3))}G`;
  if (a >= 1e6) return `${Number((v / 1e6).toPrecision(3))}M`;
  if (a >= 1e4) return `${Number((v / 1e3).toPrecision(3))}k`;
  return String(Number(v.toPrecision(4)));
}

/* An empty chart: places for values, and the <svg> to add marks to. */
function plane({xs, ys, width, height, xTitle, yTitle, label, wholeX}) {
  const range = (values, room) => {
    let low = Infinity, high = -Infinity;
    for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
    if (low === high) { low -= Math.abs(low) / 10 || 1; high += Math.abs(high) / 10 || 1; }
    return [low - (high - low) * room, high + (high - low) * room];
  };
  const [x0, x1] = range(xs, 0.02), [y0, y1] = range(ys, 0.06);
  const left = 52, right = width - 12, top = 22, bottom = height - 40;
  const x = (v) => left + (v - x0) / (x1 - x0) * (right - left);
  const y = (v) => bottom - (v - y0) / (y1 - y0) * (bottom - top);
  const root = svg('svg', {class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label});
  for (const v of ticks(y0, y1, 5)) {
    root.append(svg('line', {class: 'grid', x1: left, x2: right, y1: y(v), y2: y(v)}));
    root.append(svg('text', {x: left - 6, y: y(v) + 4, 'text-anchor': 'end'}, shortNumber(v)));
  }
  for (const v of ticks(x0, x1, Math.max(3, Math.round((right - left) / 90)))) {
    if (wholeX && !Number.isInteger(v)) continue;
    root.append(svg('line', {class: 'axis', x1: x(v), x2: x(v), y1: bottom, y2: bottom + 4}));
    root.append(svg('text', {x: Math.min(x(v), width - 4 * shortNumber(v).length), y: bottom + 17, 'text-anchor': 'middle'}, shortNumber(v)));
  }
  root.append(svg('line', {class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom}));
  root.append(svg('text', {x: (left + right) / 2, y: height - 6, 'text-anchor': 'middle'}, xTitle));
  root.append(svg('text', {x: 4, y: 12}, yTitle));
  return {root, x, y};
}

/* lines: [{name, kind: class of the stroke, points: [[x, y], ...]}]; null without a point. */
function lineChart({title, lines, xTitle, yTitle}) {
  const drawn = lines.map((l) => ({...l, points: l.points.filter((p) => p[1] !== null)})).filter((l) => l.points.length);
  if (!drawn.length) return null;
  const all = drawn.flatMap((l) => l.points);
  const ends = drawn.map((l) => `${l.name}: ${shortNumber(l.points.at(-1)[1])}`).join('; ');
  const chart = plane({xs: all.map((p) => p[0]), ys: all.map((p) => p[1]), width: innerWidth < 640 ? 340 : 520, height: 270, xTitle, yTitle, wholeX: true,
    label: `${title}, last values: ${ends}`});
  for (const l of drawn) {
    const d = l.points.map((p, i) => `${i ? 'L' : 'M'}${chart.x(p[0]).toFixed(1)},${chart.y(p[1]).toFixed(1)}`).join('');
    const hint = svg('title', {}, l.name);
    if (l.points.length > 1) chart.root.append(svg('path', {class: `line ${l.kind}`, d}, hint));
    else chart.root.append(svg('circle', {class: `line ${l.kind}`, cx: chart.x(l.points[0][0]), cy: chart.y(l.points[0][1]), r: 3}, hint));
  }
  const kinds = [...new Map(drawn.map((l) => [l.kind, l.split])).entries()];
  const legend = el('div', {class: 'legend', 'aria-hidden': 'true'}, ...kinds.map(([kind, split]) => el('span', {},
    svg('svg', {viewBox: '0 0 28 10'}, svg('path', {class: `line ${kind}`, d: 'M0,5H28', fill: 'none', 'stroke-width': 2})), split)));
  return el('figure', {class: 'chart'}, el('h4', {}, title), chart.root, legend);
}
