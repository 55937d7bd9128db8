# SPDX-License-Identifier: GPL-2.0-or-later
# From preprocessed C with line markers: the names of functions and variables with external linkage that files whose path
# contains HEADERS declare, one a line.

/^# [0-9]+ "/ {
    ours = index($3, HEADERS) > 0
    next
}

ours && !/^#/ {
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "{") {
            if (depth++ == 0 && text ~ /\)[ \t]*$/) {
                inline = 1      # a function's body follows
            }
        } else if (c == "}") {
            if (--depth == 0 && inline) {
                inline = 0
                text = ""
            }
        } else if (depth > 0) {
            continue
        } else if (c == ";") {
            declare(text)
            text = ""
        } else {
            text = text c
        }
    }
    text = text " "
}

function declare(text,    name) {
    while (match(text, /__attribute__[ \t]*\(\([^()]*(\([^()]*\)[^()]*)*\)\)/)) {
        text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
    }
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    if (text ~ /^(typedef|static|_Static_assert)([^A-Za-z0-9_]|$)/) {
        return
    }
    if (text ~ /\(/) {
        name = substr(text, 1, index(text, "(") - 1)
    } else if (text ~ /^extern[ \t]/) {
        name = text
        sub(/\[.*/, "", name)
    } else {
        return          # a type alone
    }
    sub(/[ \t]+$/, "", name)
    sub(/^.*[^A-Za-z0-9_]/, "", name)
    print name
}
