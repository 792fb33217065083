# An empirical distribution function: $points "value share" ascending.
plot $points using 1:2 with steps linecolor rgb colour[1] linewidth 2 notitle
