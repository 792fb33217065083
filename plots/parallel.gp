# Parallel coordinates, axis below axis: $lines, a block "place row value" per point; level_text[] stands below the axes.
# The colours of the heat map, dark to light; of a crowd (line_width 1) the poor ones are see-through, as dark is loud on paper.
array stop_red[7] = [68, 70, 54, 39, 31, 74, 165]
array stop_green[7] = [1, 50, 92, 127, 161, 193, 200]
array stop_blue[7] = [84, 126, 141, 142, 135, 109, 43]
height(v) = 6.0 * (v - scale_min) / (scale_max - scale_min)
below(h) = h >= 6 ? 6 : int(h) + 1
between(a, b, h, k) = int(a + (b - a) * (h - (k - 1)))
red(h, k) = between(stop_red[k], stop_red[k + 1], h, k)
green(h, k) = between(stop_green[k], stop_green[k + 1], h, k)
blue(h, k) = between(stop_blue[k], stop_blue[k + 1], h, k)
see_through(h) = line_width > 1 ? 0 : int(190 * (1 - h / 6))
mixed(h, k) = 16777216 * see_through(h) + 65536 * red(h, k) + 256 * green(h, k) + blue(h, k)
colour(v) = mixed(height(v), below(height(v)))
unset grid
unset xtics
unset colorbox
set border 0
do for [i = 1:axis_count] {
    set arrow from first 0, first i to first 1, first i nohead front linecolor rgb ink linewidth 1.2
}
set style textbox opaque noborder fillcolor rgb 'white' margins 0.3, 0.2
do for [i = 1:level_count] {
    set label level_text[i] at first level_x[i], first level_y[i] center offset character 0, -0.9 - 0.85 * level_line[i] front boxed font ',11' textcolor rgb ink
    set arrow from first level_x[i], first level_y[i] rto character 0, -0.25 nohead front linecolor rgb ink linewidth 1.2
}
plot $lines using 1:2:(colour($3)) with lines linecolor rgb variable linewidth line_width notitle
