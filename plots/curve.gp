# One quantity against another: points joined by lines (but with joined = 0), bars for the interval of the mean.
if (!exists('joined')) { joined = 1 }
if (joined) {
    plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with lines linecolor rgb '#bbbbbb' linewidth 1 notitle, \
         for [i = 1:named_count] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
         for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.7 linewidth 2 title (i <= legend_count ? legend_text[i] : '')
} else {
    plot $points using 1:2:3 with yerrorbars linecolor rgb line_colour(1) pointtype 7 pointsize 0.1 linewidth 1 notitle, \
         $points using 1:2 with points linecolor rgb line_colour(1) pointtype 7 pointsize 0.5 notitle
}
