# Parallel coordinates: $lines, a block "axis height value" per point; level_text[] stands beside the axes.
set palette defined (0 '#440154', 1 '#46327e', 2 '#365c8d', 3 '#277f8e', 4 '#1fa187', 5 '#4ac16d', 6 '#a5c82b')
unset grid
unset ytics
set border 0
set cbrange [scale_min:scale_max]
set colorbox user origin screen legend_left, screen plot_bottom size screen 16 / canvas_width, screen (plot_top - plot_bottom)
set format cb '%.4g'
do for [i = 1:axis_count] {
    set arrow from first i, first 0 to first i, first 1 nohead front linecolor rgb ink linewidth 1.2
}
set style textbox opaque noborder fillcolor rgb 'white' margins 0.4, 0.2
do for [i = 1:level_count] {
    set label level_text[i] at first level_x[i], first level_y[i] left offset character 0.5, 0 front boxed font ',11' textcolor rgb ink
}
plot $lines using 1:2:3 with lines linecolor palette linewidth line_width notitle
