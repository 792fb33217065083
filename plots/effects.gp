# What every level does with the other axes held equal, axis below axis: $points, a block "mean half_width row" for each axis (axis_count of them), whose
# lines join levels that have an order; overall is the mean of all trials.
unset grid
set grid xtics linetype 1 linecolor rgb '#dddddd' linewidth 1
set arrow from first overall, graph 0 to first overall, graph 1 nohead dashtype 2 linecolor rgb '#888888'
plot for [i = 1:axis_count] $points index i - 1 using 1:3:2 with xerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
     for [i = 1:axis_count] $points index i - 1 using 1:3 with linespoints linecolor rgb line_colour(i) pointtype 7 pointsize 0.6 linewidth 1.5 notitle
