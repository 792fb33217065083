# One quantity over epochs (epoch_count of them), a line per variant. Symbols at some epochs tell lines apart without colour.
if (epoch_count <= 12) {
    set xtics 1
}
set style line 1 linecolor rgb '#bbbbbb' linewidth 1 pointtype (epoch_count == 1 ? 7 : -1) pointsize 0.4
symbol_step = epoch_count <= 12 ? 1 : int(epoch_count / 8)
plot for [i = 1:unnamed] $points index named_count:last_unnamed using 1:2 with linespoints linestyle 1 notitle, \
     for [i = 1:named_count] $points index i - 1 using 1:2 with linespoints pointinterval symbol_step linecolor rgb line_colour(i) dashtype line_dash(i) pointtype line_symbol(i) pointsize 0.6 linewidth 2 title legend_text[i]
