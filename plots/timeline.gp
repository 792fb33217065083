# Attempts as bars: $bars, a block "from to row" per outcome; outcome[] names the kind: done, diverged, interrupted, failed, running.
array bar_colour[5] = ['#0072B2', '#E69F00', '#999999', '#D55E00', '#56B4E9']
unset grid
set grid xtics linetype 1 linecolor rgb '#dddddd' linewidth 1
if (row_count <= 20) { set ytics 1 }
set style fill solid 0.85 border rgb 'white'
plot for [i = 1:legend_count] $bars index i - 1 using 1:3:1:2:($3 - 0.4):($3 + 0.4) with boxxyerror linecolor rgb bar_colour[int(outcome[i])] title legend_text[i]
