# One quantity over epochs (epoch_count of them), a line per variant. Symbols at some epochs tell lines apart without colour. Those of
# a crowd (crowded = 1) that have no name are see-through, so that their mass has a shape, and $quartiles "epoch 25% 50% 75%" of
# all lines stand over them.
if (epoch_count <= 12) {
    set xtics 1
}
grey_line = '#bbbbbb'
if (crowded) { grey_line = sprintf('#%02x888888', int(255 * (1 - 0.3 * sqrt(40.0 / series_count)))) }
set style line 1 linecolor rgb grey_line linewidth 1 pointtype (epoch_count == 1 ? 7 : -1) pointsize 0.4
symbol_step = epoch_count <= 12 ? 1 : int(epoch_count / 8)
plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with linespoints linestyle 1 notitle, \
     for [i = 1:crowded] for [k = 1:2] $quartiles using 1:(column(2 * k)) with lines linecolor rgb grey dashtype 3 linewidth 2 notitle, \
     for [i = 1:crowded] $quartiles using 1:3 with lines linecolor rgb grey linewidth 3.5 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints pointinterval symbol_step linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.6 linewidth 2 title legend_text[i]
