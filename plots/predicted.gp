# Predicted against measured seconds: $points, a block per number of threads; $band the outline of the band
# around equal times, which are $equal.
dot = point_count > 2000 ? 0.25 : point_count > 200 ? 0.4 : point_count > 60 ? 0.55 : 0.8
set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 1
plot $band using 1:2 with filledcurves closed fillcolor rgb '#e3e3e3' notitle, \
     $equal using 1:2 with lines linecolor rgb '#777777' dashtype 2 linewidth 1.5 notitle, \
     for [i = 1:series_count] $points index i - 1 using 1:2 with points linecolor rgb line_colour(i) pointtype line_symbol(i) pointsize dot title (i <= legend_count ? legend_text[i] : '')
