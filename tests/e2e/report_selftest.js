/* Runs behind the report's own scripts, in a copy of the page (test_report_page.c): does what a person would, and leaves
   "ok" or what was wrong in an element #selftest. `problems` is filled by a script before all others. */
(async () => {
  const failures = [];
  let checks = 0;
  const check = (holds, text) => { checks++; if (!holds) failures.push(text); };
  const same = (found, wanted, text) => check(found === wanted, `${text}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const columnTexts = (name) => {
    const heads = [...document.querySelectorAll('#table thead th button')].map((b) => b.dataset.sort);
    return [...document.querySelectorAll('#table tbody tr')].map((tr) => tr.children[heads.indexOf(name)].textContent);
  };
  const numbers = (name) => columnTexts(name).map((t) => Number(t.replaceAll(',', '')));
  const head = (name) => document.querySelector(`#table [data-sort="${name}"]`);
  const sorted = (list, descending) => list.every((v, i) => i === 0 || (descending ? list[i - 1] >= v : list[i - 1] <= v));
  const type = async (text) => {
    $('filter').value = text;
    $('filter').dispatchEvent(new Event('input', {bubbles: true}));
    await pause(300);
  };
  const message = () => $('filter-message').textContent;
  const all = trialRows.length, where = (test) => trialRows.filter(test).length;
  const got = (n) => `${n.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} trials match`;

  const report = () => {
    for (const p of problems) failures.push(`the page complained: ${p}`);
    const result = document.createElement('pre');
    result.id = 'selftest';
    result.textContent = failures.length ? failures.join('\n') : `ok, ${checks} checks`;
    document.body.append(result);
  };
  if (innerWidth > 1000) { /* at a desk */
    check(document.documentElement.scrollWidth <= innerWidth, `the page scrolls sideways: ${document.documentElement.scrollWidth} > ${innerWidth}`);
    for (const image of document.querySelectorAll('.figures img'))
      check(image.getBoundingClientRect().width * 10 / 720 >= 10, `a figure is too small to read: ${image.getBoundingClientRect().width}`);
    check(checks > 2, 'there are figures');
    report();
    return;
  }

  try {
    /* As it opens */
    same(all, 10000, 'trials in the data');
    same(message(), '10,000 trials', 'message');
    same(document.querySelectorAll('#table tbody tr').length, 50, 'rows of a page');
    same($('pages').textContent, '1 to 50 of 10,000', 'pager');
    check(document.querySelector('[data-page=back]').disabled, 'there is no page before the first');
    check(document.documentElement.scrollWidth <= innerWidth, `the page scrolls sideways: ${document.documentElement.scrollWidth} > ${innerWidth}`);

    const header = document.querySelector('header');
    header.style.width = '320px';
    for (const link of document.querySelectorAll('nav a'))
      check(link.getBoundingClientRect().right <= header.getBoundingClientRect().right, `${link.hash} is out of view`);
    header.style.width = '';

    /* On a phone the accuracies are in view, and the first column stays there. */
    for (const name of ['val_top1', 'test_top1'])
      check(head(name).getBoundingClientRect().right <= innerWidth, `${name} is out of view: ${head(name).getBoundingClientRect().right}`);
    const firstCell = document.querySelector('#table tbody td'), place = firstCell.getBoundingClientRect().left;
    $('table-scroll').scrollLeft = 300;
    check($('table-scroll').scrollLeft > 100 && firstCell.getBoundingClientRect().left === place, 'the first column stays in view');
    $('table-scroll').scrollLeft = 0;
    for (const image of document.querySelectorAll('.figures img')) {
      image.loading = 'eager';
      const box = image.parentElement;
      check(box.getBoundingClientRect().right <= innerWidth, 'a figure is cut');
      /* The smallest text of the drawing has 10 of 720 pixels. */
      check(image.getBoundingClientRect().width * 10 / 720 >= 11, `a figure is too small to read: ${image.getBoundingClientRect().width}`);
      box.scrollLeft = 10000;
      check(box.scrollLeft > 0 && image.getBoundingClientRect().right <= innerWidth + 1, 'a figure does not scroll to its end');
      box.scrollLeft = 0;
    }
    const fold = [...document.querySelectorAll('summary')].find((s) => s.textContent.startsWith('Trials without a result'));
    check(fold && fold.textContent.endsWith('(100 or more)') && !fold.parentElement.open, 'many failed trials are folded');

    /* Every figure has its data, its own or what the page has of all. */
    const links = [...document.querySelectorAll('figure .files a.csv')];
    same(links.length, document.querySelectorAll('.figures figure').length, 'links to data');
    for (const link of links) {
      const lines = csvOfFigure(link.dataset.from).trim().split('\n'), fields = lines[0].split(',').length;
      check(lines.length > 1 && fields > 1 && link.download.endsWith('.csv'), `data of ${link.download}: ${lines.length} lines`);
    }
    check(data.figures.length > 0 && data.figures.every((f) => tableRows(f).every((row) => row.length === f.columns.length && !row.includes(undefined))), 'columns of data');
    same(csvOfFigure('trials').trim().split('\n').length, 10001, 'data of all trials');
    const curveLines = csvOfCurves().trim().split('\n'), epochsOf = differences(curveByTrial.get(1)[1]).length;
    same(curveLines.length, 1 + 10000 * epochsOf, 'epochs of all curves');
    check(curveLines[0].endsWith(',epoch,train_loss,val_loss,train_top1,val_top1'), `columns of curves: ${curveLines[0]}`);
    check(curveLines[1].endsWith(',1,2.5,2.6,0.0476,0.0455'), `first epoch: ${curveLines[1]}`);

    /* The front of the chart is chosen by validation. */
    const chosen = front([{x: 1, y: 6, merit: 5}, {x: 2, y: 5, merit: 6}, {x: 3, y: 9, merit: 5}], false).map((p) => p.x).join();
    same(chosen, '1,2', 'front by merit');
    const note = $('explore-note').textContent;
    check(note.includes('chosen by val_top1'), `the chart says by what it chooses: ${note}`);

    /* No label of a tick is cut, wherever the last tick falls; at some ranges it falls at the very edge. */
    let moved = 0;
    for (let high = 0.0400; high < 0.06; high += 0.0001)
      for (const label of plane({xs: [high, 0.03], ys: [0, 1], width: 340, height: 200, xTitle: '', yTitle: '', label: ''}).root.querySelectorAll('text[text-anchor=middle]')) {
        const end = Number(label.getAttribute('x')) + 4 * label.textContent.length;
        check(end <= 340, `a cut label: ${label.textContent}`);
        moved += end === 340;
      }
    check(moved > 0, 'no tick at the edge');

    /* Layers: what the page multiplies out is what the metamodel counted. */
    let wrong = 0;
    for (const v of data.variants.rows) {
      const rows = layerRows(data.shapes[v[V.shape]], v[V.widths]);
      const sum = (name) => rows.reduce((a, r) => a + r[name], 0);
      if (sum('params') !== v[V.params] || sum('macs') !== v[V.macs]) wrong++;
    }
    same(wrong, 0, 'variants whose layers do not sum up');

    /* Sorting: numbers as numbers, aria-sort, focus, no value last */
    head('params').focus();
    head('params').click();
    same(head('params').parentElement.getAttribute('aria-sort'), 'ascending', 'aria-sort of a first click');
    check(sorted(numbers('params')), 'params are not ascending');
    same(numbers('params')[0], Math.min(...trialRows.map((r) => r.v[V.params])), 'smallest first');
    same(document.activeElement, head('params'), 'focus after sorting');
    head('params').click();
    same(head('params').parentElement.getAttribute('aria-sort'), 'descending', 'aria-sort of a second click');
    check(sorted(numbers('params'), true), 'params are not descending');
    head('test_top1').click();
    same(head('test_top1').parentElement.getAttribute('aria-sort'), 'descending', 'accuracies: best first');
    check(sorted(numbers('test_top1'), true), 'test_top1 is not descending');
    same(document.querySelectorAll('#table thead th[aria-sort=none]').length, document.querySelectorAll('#table thead th').length - 1, 'one column is sorted by');
    head('test_top1').click();
    document.querySelector('[data-page=last]').click();
    check(columnTexts('test_top1').every((t) => t === '–'), 'rows without a value stand last');
    same(document.querySelectorAll('#table thead button').length, document.querySelectorAll('#table thead th').length, 'every heading has its button');

    /* Conditions */
    const SR = (r) => r.v[V.sr], state_ = (r) => r.t[T.state], top1 = (r) => r.t[T.test_top1];
    await type('SR < 0.5');
    same(message(), got(where((r) => SR(r) < 0.5)), 'SR < 0.5');
    check(numbers('sr').every((v) => v < 0.5), 'a row does not meet the condition');
    check(location.hash.includes('filter=SR'), 'the address remembers the filter');
    await type("state = 'done' and not (sr >= 0.25 or TEST_TOP1 <= 90%)");
    same(message(), got(where((r) => state_(r) === 'done' && !(SR(r) >= 0.25 || (top1(r) !== null && top1(r) <= 0.9)))), 'and, or, not');
    await type('model_bytes / 4 >= 1KB and params >= 1K + 0 * 2 and model_bytes < 1MiB and -sr < -0.5');
    same(message(), got(where((r) => r.v[V.params] >= 1000 && r.v[V.model_bytes] < 1048576 && SR(r) > 0.5)), 'arithmetic and units');
    await type('0.1 <= sr < 0.5 and bypass in [none, simple] and pct3x3 not in [0.5]');
    same(message(), got(where((r) => SR(r) >= 0.1 && SR(r) < 0.5 && ['none', 'simple'].includes(r.v[V.bypass]) && r.v[V.pct3x3] !== 0.5)), 'chains and lists');
    await type('bypass = simple && not (state != done)');
    same(message(), got(where((r) => r.v[V.bypass] === 'simple' && state_(r) === 'done')), 'words without quotes');
    await type('model_mib * 2 <= 1MiB or train_s > 1h30m');
    same(message(), got(where((r) => r.v[V.model_bytes] * 2 <= 1048576 || (r.t[T.train_s] !== null && r.t[T.train_s] > 5400))), 'MiB beside bytes, time');
    /* The page says what the command says, but for the columns there are. */
    const told = (text) => text.replace(/ is unknown.*/, ' is unknown');
    for (const [text, wanted] of asked) {
      let answer;
      check(looksLikeCondition(text, view('trials').byName), `${text} is a condition`);
      try { answer = filterRows(view('trials'), text).length; } catch (problem) { answer = problem instanceof FilterError ? problem.message : String(problem.stack); }
      same(typeof answer === 'string' ? told(answer) : answer, typeof wanted === 'string' ? told(wanted) : wanted, text);
    }
    check(asked.filter(([, wanted]) => wanted > 0).length > 20 && asked.filter(([, wanted]) => typeof wanted === 'string').length > 30, 'answers of the command');
    await type('params < 5constructor');
    check(message().includes('"5constructor" is no number'), `no unit: ${message()}`);
    await type('test_top1 = null');
    same(message(), got(where((r) => top1(r) === null)), 'null');
    const before = $('pages').textContent;
    await type('SR <');
    check(message().startsWith('character 5: the condition ends too early'), `message of half a condition: ${message()}`);
    same($('filter').getAttribute('aria-invalid'), 'true', 'aria-invalid');
    same($('pages').textContent, before, 'rows of before stay');
    await type('nonsense > 3');
    check(/"nonsense" is unknown/.test(message()), `unknown column: ${message()}`);
    await type("sr = 'a' + 1");
    check(/is a text where a number is needed/.test(message()), `arithmetic on a text: ${message()}`);
    await type('constructor = 1');
    check(/"constructor" is unknown/.test(message()), `not a column: ${message()}`);
    for (const [text, count] of [['sr = 0.00061', 8], ["block = 'again' and sr = 0.00061", 8], ["block = 'b' and sr = 0.00061", 0], ["block = 'b'", all - 338], ['sweep = null', 324], ['outside = 1', 324]]) {
      await type(text);
      same(message(), got(count), `another name: ${text}`);
    }
    await type('test_top1 > 90');
    check(message().includes('0.9 or 90% for 90 percent'), `accuracies are shares: ${message()}`);
    await type('test_topp > 90');
    check(message().includes('did you mean test_top1 or test_top5?'), `columns that are alike: ${message()}`);
    await type('FAILED simple');
    same(message(), got(where((r) => state_(r) === 'failed' && r.v[V.bypass] === 'simple')).replace('match', 'contain these words'), 'words');
    for (const words of ['0.5', '3x32x32', '2026-11-28', '12 13', 'state: done', 'out of memory', '(core dumped)'])
      check(!looksLikeCondition(words, view('trials').byName), `${words} are words`);
    await type('zzz nothing');
    same(document.querySelector('#table tbody').textContent, 'No row matches.', 'no row');
    $('clear').click();
    same(message(), '10,000 trials', 'cleared');

    /* Means over seeds */
    document.querySelector('input[name=view][value=variants]').click();
    same(message(), '2,510 variants, recipes and data', 'variants');
    const first = view('variants').rows[0], mine = trialRows.filter((r) => r.t[T.variant] === first.m.variant && state_(r) === 'done').map(top1);
    check(Math.abs(first.m.test_top1 - mine.reduce((a, b) => a + b) / mine.length) < 1e-12, 'a mean');
    check(csvText().split('\n').length === 2512, 'lines of the CSV file');
    /* Not over trials of other data. */
    const two = view('variants').rows.filter((r) => r.m.variant === 2500);
    same(two.map((r) => `data ${r.m.data}, ${r.m.seeds} seeds`).join('; '), 'data 1, 2 seeds; data 2, 2 seeds', 'means by data');
    for (const {m} of two) {
      const top1s = trialRows.filter((r) => r.t[T.variant] === 2500 && r.t[T.data] === m.data).map(top1);
      check(Math.abs(m.test_top1 - (top1s[0] + top1s[1]) / 2) < 1e-12, `mean on data ${m.data}`);
    }
    check(document.querySelectorAll('#explore-plot circle').length > 1000, 'dots of the chart');
    document.querySelector('input[name=view][value=trials]').click();

    /* A training of a shorter rung is marked, and no dot of the chart. */
    const dots = () => document.querySelectorAll('#explore-plot circle').length;
    await type('variant = 1 or variant = 2');
    const before_ = dots();
    state.rows[0].t[T.shorter_rung] = 1;
    update();
    same(document.querySelectorAll('#table tbody tr.shorter').length, 1, 'marked rows');
    same(dots(), before_ - 1, 'dots without the shorter rung');
    check($('explore-note').textContent.includes('1 of shorter rungs'), 'the chart says what it leaves out');
    state.rows[0].t[T.shorter_rung] = 0;

    /* What a running trial has reached so far is no result. */
    state.rows[0].t[T.state] = 'running';
    update();
    same(dots(), before_ - 1, 'dots without the running trial');
    check($('explore-note').textContent.includes('1 unfinished'), 'the chart says that a trial is unfinished');
    state.rows[0].t[T.state] = 'done';

    /* Each sweep has its front: data may differ. */
    await type('variant > 0');
    const name_ = trialRows[0].t[T.sweep], inSpec = trialRows.filter((r) => !isOutside(r)), fronts = () => document.querySelectorAll('#explore-plot path.front').length;
    same(fronts(), 1, 'the front of one sweep');
    for (const row of inSpec) if (row.t[T.trial] % 2) row.t[T.sweep] = 'other';
    update();
    same(fronts(), 2, 'fronts of two sweeps');
    for (const row of inSpec) row.t[T.sweep] = name_;

    /* What no spec names any more is marked in the table, counted apart, and no dot of the chart; alone it has no front. */
    const tiles = document.querySelector('.tiles').textContent;
    check(tiles.includes('9666') && tiles.includes('9566 done; and 10 of shorter rungs; and 324 outside the spec'), `the overview counts what is outside: ${tiles}`);
    same(document.querySelector('.states').textContent.trim().replace(/\s+/g, ' '), '9566 done 100 failed', 'states');
    await type('variant = 2 or variant = 2480');
    same(dots(), 4, 'dots without what is outside');
    check($('explore-note').textContent.includes('4 outside the spec'), 'the chart says what is outside');
    same(document.querySelectorAll('#table tbody tr.outside').length, 4, 'marked rows');
    same([...new Set(columnTexts('sweep'))].join('; '), `${name_}; outside the spec`, 'no sweep');
    await type('outside = 1');
    same(dots(), 324, 'dots of what is outside, asked for');
    same(fronts(), 0, 'no front of what is outside');
    check(!$('explore-note').textContent.includes('front'), 'the note speaks of no front');
    await type('rung = 1');
    same(`${dots()} ${fronts()}`, '10 0', 'dots of a shorter rung, asked for');
    same([...new Set(columnTexts('sweep'))].join('; '), name_, 'the sweep of a shorter rung');
    $('clear').click();

    /* On paper everything is open, and headings are texts. */
    const folded = () => document.querySelectorAll('details:not(.help):not([open])').length;
    const folds = folded();
    dispatchEvent(new Event('beforeprint'));
    check(folds > 0 && folded() === 0, 'folded parts on paper');
    dispatchEvent(new Event('afterprint'));
    same(folded(), folds, 'folded parts after printing');
    check([...document.querySelectorAll('#table th')].every((th) => th.dataset.title === th.textContent), 'headings for paper');

    /* What a recipe does not read tells it from no other. */
    const recipe = data.recipes.rows[0], other = recipe.slice();
    other[R.momentum] = null;
    other[R.lr] = 0.123;
    data.recipes.rows.push(other);
    same(recipeText(other), 'lr 0.123', 'a recipe without momentum');
    data.recipes.rows.pop();

    /* A variant, by its link */
    document.querySelector('#table tbody a').focus();
    const link = document.activeElement;
    location.hash = link.hash;
    await pause(100);
    const id = Number(link.hash.slice(9)), v = variantById.get(id), section = $('variant');
    check(!section.hidden && document.activeElement === section, 'the variant is open and has the focus');
    same($('variant-heading').textContent, `Variant ${id}`, 'heading');
    const widths = [...section.querySelectorAll('[aria-label^=Hyperparameters] tbody tr')].flatMap((tr) => [...tr.querySelectorAll('td')].slice(0, 3).map((td) => Number(td.textContent.replaceAll(',', ''))));
    same(JSON.stringify(widths), JSON.stringify(v[V.widths]), 'the 24 hyperparameters');
    const foot = [...section.querySelectorAll('[aria-label=Layers] tfoot td')].map((td) => td.textContent);
    same(foot.at(-2), v[V.params].toLocaleString('en-US'), 'sum of the layers');
    same(section.querySelectorAll('[aria-label=Replicates] tbody tr').length, 4, 'replicates');
    same(section.querySelectorAll('svg.plot').length, 2, 'learning curves');
    check(document.documentElement.scrollWidth <= innerWidth, `a variant scrolls the page sideways: ${document.documentElement.scrollWidth}`);
    document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
    await pause(100);
    check(section.hidden, 'Escape closes');
    same(document.activeElement, link, 'focus goes back to where it was');
    location.hash = '#variant-2500';
    await pause(100);
    same([...section.querySelectorAll('h3')].map((h) => h.textContent).filter((text) => text.startsWith('Trials')).map((text) => text.replace(/.*data/, 'data')).join('; '), 'data 1, outside the spec; data 2', 'a variant on two data');
    same([...section.querySelectorAll('[aria-label=Replicates] tfoot td:nth-child(2)')].map((td) => td.textContent).join('; '), 'n = 2; n = 2', 'its means');
    location.hash = '#variant-999999';
    await pause(100);
    check(section.textContent.includes('There is no variant 999999'), 'an unknown variant');
    location.hash = '#trials?filter=SR+%3C+0.1&sort=params:desc&rows=variants';
    await pause(100);
    check(section.hidden && $('filter').value === 'SR < 0.1' && state.view === 'variants' && sorted(numbers('params'), true), 'a link to filtered rows');

    /* Hostile names are texts */
    same(document.querySelector('h1').textContent, '<' + '/script><img src=x onerror=alert(1)>', 'a hostile name');
    same(document.querySelectorAll('img:not([src^="data:image/svg+xml"])').length, 0, 'images of others');

    /* Nothing from outside */
    for (const node of document.querySelectorAll('[src], [href]')) {
      const address = node.getAttribute('src') || node.getAttribute('href');
      check(/^(#|data:|blob:)/.test(address), `address ${address.slice(0, 60)}`);
    }
    same(performance.getEntriesByType('resource').filter((r) => !r.name.startsWith('data:')).length, 0, 'resources loaded');
    const labels = [...document.querySelectorAll('input, select')].filter((n) => !n.labels.length);
    same(labels.length, 0, 'controls without a label');
    const ids = [...document.querySelectorAll('[id]')].map((n) => n.id);
    same(new Set(ids).size, ids.length, 'ids are unique');
  } catch (problem) {
    failures.push(`stopped: ${problem.stack || problem}`);
  }
  report();
})();
