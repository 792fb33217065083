# Every trial as a dot; many dots are smaller and let each other shine through.
dot = point_count > 2000 ? 0.25 : point_count > 200 ? 0.4 : point_count > 60 ? 0.55 : 0.8
plot $points using 1:2 with points pointtype 7 pointsize dot linecolor rgb (point_count > 200 ? '#900072B2' : '#0072B2') notitle
