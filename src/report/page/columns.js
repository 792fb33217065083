/* Tables as src/report/html_columns.c writes them, and numbers as src/report/html_epochs.c does. */

const DIGITS = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((digit, i) => [digit, i]));

function tableRows({columns, rows, values}) {
  const table = Array.from({length: rows}, () => new Array(columns.length));
  values.forEach(({of, at}, column) => {
    const width = at ? at.length / rows : 0;
    for (let row = 0; row < rows; row++) {
      let i = of.length === 1 ? 0 : row;
      if (at) {
        i = 0;
        for (let k = 0; k < width; k++) i = 64 * i + DIGITS.get(at[row * width + k]);
      }
      table[row][column] = of[i];
    }
  });
  return table;
}

/* Whole numbers by their differences: the sign is the lowest bit, five bits a digit, the lowest first, and 32 says that
   more follow. "." is no number. */
function differences(text) {
  const list = [];
  let value = 0, part = 0, factor = 1;
  for (const c of text) {
    const digit = DIGITS.get(c);
    if (digit === undefined) {
      list.push(null);
      continue;
    }
    part += digit % 32 * factor;
    factor *= 32;
    if (digit >= 32) continue;
    value += part % 2 ? -(part - 1) / 2 : part / 2;
    list.push(value);
    part = 0;
    factor = 1;
  }
  return list;
}
