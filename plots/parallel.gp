# Parallel coordinates, axis below axis: $lines, a block "place row value" per point; level_text[] stands below the axes.
set palette defined (0 '#440154', 1 '#46327e', 2 '#365c8d', 3 '#277f8e', 4 '#1fa187', 5 '#4ac16d', 6 '#a5c82b')
unset grid
unset xtics
unset colorbox
set border 0
set cbrange [scale_min:scale_max]
do for [i = 1:axis_count] {
    set arrow from first 0, first i to first 1, first i nohead front linecolor rgb ink linewidth 1.2
}
set style textbox opaque noborder fillcolor rgb 'white' margins 0.3, 0.2
do for [i = 1:level_count] {
    set label level_text[i] at first level_x[i], first level_y[i] center offset character 0, -0.9 - 0.85 * level_line[i] front boxed font ',11' textcolor rgb ink
    set arrow from first level_x[i], first level_y[i] rto character 0, -0.25 nohead front linecolor rgb ink linewidth 1.2
}
plot $lines using 1:2:3 with lines linecolor palette linewidth line_width notitle
