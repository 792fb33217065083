# What all figures share. It is read first, then the template of the figure's kind.
#
# firesweep defines before (texts are cut to fit, all positions are fractions of the canvas):
#   canvas_width, canvas_height                 pixels of the SVG
#   plot_left, plot_right, plot_bottom, plot_top, header_left
#   title_text, note1_text to note4_text        '' where there is none
#   x_title, y_title, upper_title, upper_title_y
#   x_min, x_max, y_min, y_max; x_log, y_log    1 for a logarithmic axis
#   tick_count, tick_x[], tick_text[]           words at places of the x axis, and where they stand: in rows that do
#   tick_middle[], tick_y[]                     not overlap, at the edges of the canvas beside their places
#   ticks_above                                 1: the upper axis shows the metaparameter, 0: categories below
#   ticks_upright                               1: they read from bottom to top at their places and end at tick_y[]
#   row_count, row_y[], row_text[]              words at places of the y axis instead of numbers;
#   row_heading[]                               1 for those that name the rows below them
#   x_step, x_marks                             from number to number of a linear x axis; within a decade of a logarithmic one
#   legend_count, legend_title, legend_text[], legend_left
#   series_count, named_count                   lines; the first named_count have an own colour
#                                               (here: unnamed = 1 if there are others, up to last_unnamed)
#   $points                                     a block of lines "x mean half_width" for each line

# Okabe and Ito, Color Universal Design (2008): told apart with any colour vision. Their yellow is too faint on white.
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
# Hollow ones have a meaning of their own in some figures.
array symbol[7] = [7, 5, 9, 13, 11, 2, 3]
line_colour(i) = colour[(i - 1) % 7 + 1]
# Another symbol for each use of a colour.
line_symbol(i) = symbol[(i - 1 + int((i - 1) / 7)) % 7 + 1]
line_dash(i) = int((i - 1) / 7) % 4 + 1

unnamed = exists('series_count') ? series_count > named_count : 0
last_unnamed = unnamed ? series_count - 1 : (exists('named_count') ? named_count : 0) # an index must not descend

ink = '#222222'
grey = '#555555'
pixels_down(y) = 1 - y / canvas_height

set margins at screen plot_left, screen plot_right, screen plot_bottom, screen plot_top
set label title_text at screen header_left, screen pixels_down(26) left font ',16' textcolor rgb ink
set label note1_text at screen header_left, screen pixels_down(46) left font ',11' textcolor rgb grey
set label note2_text at screen header_left, screen pixels_down(64) left font ',11' textcolor rgb grey
if (note3_text ne '') { set label note3_text at screen header_left, screen pixels_down(82) left font ',11' textcolor rgb grey }
if (note4_text ne '') { set label note4_text at screen header_left, screen pixels_down(100) left font ',11' textcolor rgb grey }
set label x_title at screen (plot_left + plot_right) / 2, screen pixels_down(canvas_height - 16) center textcolor rgb ink
set label y_title at screen 16 / canvas_width, screen (plot_bottom + plot_top) / 2 center rotate textcolor rgb ink

set border 3 linecolor rgb ink
set tics nomirror out scale 0.6 textcolor rgb ink
set grid ytics linetype 1 linecolor rgb '#dddddd' linewidth 1
set xrange [x_min:x_max]
set yrange [y_min:y_max]
if (x_log) { set logscale x }
if (y_log) { set logscale y }
if (!x_log && x_step > 0) { set xtics x_step }
few_decades(low, high) = high / low < 2000
if (x_log && few_decades(x_min, x_max)) {
    set xtics ()
    do for [e = int(floor(log10(x_min))):int(ceil(log10(x_max)))] {
        do for [m in x_marks] { set xtics add (sprintf('%g', m * 10.0**e) m * 10.0**e) }
    }
}
if (y_log && few_decades(y_min, y_max)) {
    set ytics ()
    do for [e = int(floor(log10(y_min))):int(ceil(log10(y_max)))] {
        do for [m in '1 2 5'] { set ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e) }
    }
}
set format x '%g'
set format y '%g'

unset key
if (legend_count > 0) {
    set key at screen legend_left, screen plot_top left top vertical Left reverse noenhanced font ',12' textcolor rgb ink samplen 1.6 spacing 1.1 maxrows 40 title legend_title left
}

if (tick_count > 0) {
    if (ticks_above) {
        set border 7
        set label upper_title at screen (plot_left + plot_right) / 2, screen upper_title_y center textcolor rgb ink
        do for [i = 1:tick_count] {
            set arrow from first tick_x[i], graph 1 to first tick_x[i], screen plot_top + 5 / canvas_height nohead linecolor rgb ink
        }
    } else {
        set xtics ()
        do for [i = 1:tick_count] { set xtics add ('' tick_x[i]) }
    }
    do for [i = 1:tick_count] {
        if (ticks_upright) {
            set label tick_text[i] at first tick_x[i], screen tick_y[i] right rotate by 90 font ',10' textcolor rgb ink
        } else {
            set label tick_text[i] at screen tick_middle[i], screen tick_y[i] center textcolor rgb ink
        }
    }
}

if (row_count > 0) {
    unset ytics
    do for [i = 1:row_count] {
        set label row_text[i] at screen plot_left - 8 / canvas_width, first row_y[i] right font (row_heading[i] > 0 ? ',12' : ',11') textcolor rgb (row_heading[i] > 0 ? ink : grey)
    }
}
