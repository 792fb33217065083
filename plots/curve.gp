# One quantity against another: points joined by lines, bars for the interval of the mean.
plot for [i = named_count + 1:series_count] $points index i - 1 using 1:2 with lines linecolor rgb '#bbbbbb' linewidth 1 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.7 linewidth 2 title legend_text[i]
