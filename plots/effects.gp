# Mean at every level, axis by axis; the dashed line is the mean of all trials.
set arrow from first x_min, first overall to first x_max, first overall nohead dashtype 2 linecolor rgb '#888888'
plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2:3 with yerrorbars linecolor rgb grey pointtype 7 pointsize 0.5 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.8 linewidth 1.5 title legend_text[i]
