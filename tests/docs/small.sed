# What makes the documentation's sweeps small enough for a test: another data set, one epoch, narrow networks, and no
# measurements of latency, which take their time.
s~/usr/share/datasets/fashion-mnist~@DATA@~
s~val: (5000|1000)~val: 100~
s~, train_limit: [0-9]+~~
/^ *train_limit:/d
s~epochs: [0-9]+~epochs: 1~
s~base_e: \[16, 32, 64\], incr_e: \[16, 32, 64\]~base_e: [4, 6, 8], incr_e: [4, 6, 8]~
s~(base|incr)_e: 32([^0-9]|$)~\1_e: 8\2~
s~conv1_filters: [0-9]+~conv1_filters: 8~
/^run:/d
s~^seeds: \[1, 2, 3\](.*)~seeds: [1, 2]\1\nrun: {measure: false}~
