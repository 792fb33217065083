# One quantity against another: points, with bars for the interval of the mean; joined by lines (but with joined = 0: there is
# no order that a line could follow).
if (!exists('joined')) { joined = 1 }
count = exists('point_count') ? point_count : 0
dot = count > 2000 ? 0.25 : count > 200 ? 0.4 : count > 60 ? 0.5 : 0.7
shade(i) = count > 200 ? '#90'.line_colour(i)[2:7] : line_colour(i) # many let each other shine through
if (joined) {
    plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with lines linecolor rgb '#bbbbbb' linewidth 1 notitle, \
         for [i = 1:named_count] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
         for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.7 linewidth 2 title (i <= legend_count ? legend_text[i] : '')
} else {
    plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with points linecolor rgb '#999999' pointtype 7 pointsize 0.4 notitle, \
         for [i = 1:(count > 200 ? 0 : named_count)] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1 notitle, \
         for [i = 1:named_count] $points index i - 1 using 1:2 with points linecolor rgb shade(i) pointtype line_symbol(i) pointsize dot title (i <= legend_count ? legend_text[i] : '')
}
