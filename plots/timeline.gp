# Attempts as bars: $bars, a block "from to row" per outcome; outcome[] names the kind: done, diverged, interrupted, failed, running.
# Shades and hatching tell the kinds apart without colour.
array bar_colour[5] = ['#0072B2', '#E69F00', '#aaaaaa', '#D55E00', '#56B4E9']
array bar_pattern[5] = [3, 2, 3, 1, 0]
unset grid
set grid xtics linetype 1 linecolor rgb '#dddddd' linewidth 1
plot for [i = 1:legend_count] $bars index i - 1 using 1:3:1:2:($3 - 0.4):($3 + 0.4) with boxxyerror fillstyle pattern bar_pattern[int(outcome[i])] border rgb bar_colour[int(outcome[i])] linecolor rgb bar_colour[int(outcome[i])] title legend_text[i]
