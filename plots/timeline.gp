# Attempts as bars: $bars, a block "from to row" per outcome; outcome[] names the kind: done, diverged, interrupted, failed, running,
# end unknown (a cross where they were last known to live). row_pixels: from row to row.
# Shades and hatching tell the kinds apart without colour; very many rows are too thin for that.
array bar_colour[6] = ['#0072B2', '#E69F00', '#aaaaaa', '#D55E00', '#56B4E9', '#000000']
array bar_pattern[6] = [3, 2, 3, 1, 0, 0]
colour_of(i) = bar_colour[int(outcome[i])]
unknown(i) = int(outcome[i]) == 6
thin = row_pixels < 6
half = thin ? 0.5 : 0.4
unset grid
set grid xtics linetype 1 linecolor rgb '#dddddd' linewidth 1
plot for [i = 1:legend_count] $bars index i - 1 using 1:3:1:2:($3 - half):($3 + half) with boxxyerror fillstyle pattern (thin ? 3 : bar_pattern[int(outcome[i])]) border rgb colour_of(i) linecolor rgb colour_of(i) linewidth (thin ? 0.1 : 1) title (unknown(i) ? '' : legend_text[i]), \
     for [i = 1:legend_count] $bars index i - 1 using (unknown(i) ? $2 : NaN):3 with points pointtype 2 pointsize (thin ? 0.4 : 0.7) linewidth 1.5 linecolor rgb colour_of(i) title (unknown(i) ? legend_text[i] : '')
