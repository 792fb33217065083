# Mean over two axes: $cells "column row mean". Light to dark also without colour (viridis).
set palette defined (0 '#440154', 1 '#46327e', 2 '#365c8d', 3 '#277f8e', 4 '#1fa187', 5 '#4ac16d', 6 '#a0da39', 7 '#fde725')
unset grid
set cbrange [scale_min:scale_max]
set colorbox user origin screen legend_left, screen plot_bottom size screen 16 / canvas_width, screen (plot_top - plot_bottom)
set format cb '%.4g'
set style fill solid 1 noborder
share(v) = (v - scale_min) / (scale_max - scale_min)
number(v) = x_levels <= 10 && y_levels <= 14 ? sprintf(abs(v) < 10 ? '%.3g' : '%.1f', v) : ''
plot $cells using 1:2:($1 - 0.48):($1 + 0.48):($2 - 0.48):($2 + 0.48):3 with boxxyerror linecolor palette notitle, \
     $cells using 1:2:(number($3)):(share($3) > 0.45 ? 0x222222 : 0xffffff) with labels font ',12' textcolor rgb variable notitle
