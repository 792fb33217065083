# The front as stairs, its points in colour with bars; $others: "x y 1 or 0", 1 where it may be on the front all the same.
plot $others using 1:($3 < 1 ? $2 : NaN) with points pointtype 7 pointsize 0.5 linecolor rgb '#b0b0b0' notitle, \
     $others using 1:($3 < 1 ? NaN : $2) with points pointtype 6 pointsize 0.8 linecolor rgb grey notitle, \
     $stairs using 1:2 with steps linecolor rgb '#777777' linewidth 1.5 notitle, \
     for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2:3 with yerrorbars linecolor rgb grey pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2:3 with yerrorbars linecolor rgb line_colour(i) pointtype 7 pointsize 0.1 linewidth 1.2 notitle, \
     for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with points linecolor rgb grey pointtype 7 pointsize 0.7 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2 with points linecolor rgb line_colour(i) pointtype line_symbol(i) pointsize 0.9 title legend_text[i]
