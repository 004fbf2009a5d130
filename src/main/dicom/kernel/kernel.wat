;; The loops of intake over every pixel of a film, eight at a time. Pixels are 16-bit values; the
;; caller gives places as byte offsets into the memory. `flip` is 0x8000 for signed values and 0 for
;; unsigned ones: v xor flip brings both into the unsigned order from 0 to 65535, in which all bounds
;; are given. scripts/kernel.mjs turns this file into kernel.wasm.ts.
(module
  (memory (export "memory") 1)

  ;; Smallest and largest value outside the padding, as largest << 16 | smallest; 0x0000ffff (the
  ;; smallest above the largest) where everything is padding.
  (func (export "range")
    (param $from i32) (param $count i32) (param $flip i32) (param $paddingLow i32) (param $paddingHigh i32)
    (result i32)
    (local $end i32) (local $v v128) (local $flips v128) (local $low v128) (local $high v128)
    (local $lowest v128) (local $highest v128) (local $padding v128) (local $min i32) (local $max i32)
    (local $word i32) (local $lane i32)
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $low (i16x8.splat (local.get $paddingLow)))
    (local.set $high (i16x8.splat (local.get $paddingHigh)))
    (local.set $lowest (i16x8.splat (i32.const 0xffff)))
    (local.set $end (i32.add (local.get $from) (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 1))))
    (if (i32.gt_u (local.get $paddingLow) (local.get $paddingHigh)) (then
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $v (v128.xor (v128.load (local.get $from)) (local.get $flips)))
        (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
        (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br $next)))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $v (v128.xor (v128.load (local.get $from)) (local.get $flips)))
      (local.set $padding (v128.and
        (i16x8.ge_u (local.get $v) (local.get $low)) (i16x8.le_u (local.get $v) (local.get $high))))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (v128.or (local.get $v) (local.get $padding))))
      (local.set $highest (i16x8.max_u (local.get $highest) (v128.andnot (local.get $v) (local.get $padding))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br $next)))
    ;; The eight lanes one below the other, then the values that are left.
    (local.set $min (i32.const 0xffff))
    (local.set $max (i32.const 0))
    (v128.store (i32.const 0) (local.get $lowest))
    (v128.store (i32.const 16) (local.get $highest))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $lane) (i32.const 16)))
      (local.set $word (i32.load16_u (local.get $lane)))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (local.set $word (i32.load16_u offset=16 (local.get $lane)))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (local.set $lane (i32.add (local.get $lane) (i32.const 2)))
      (br $next)))
    (local.set $end (i32.add (local.get $from) (i32.shl (i32.and (local.get $count) (i32.const 7)) (i32.const 1))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $word (i32.xor (i32.load16_u (local.get $from)) (local.get $flip)))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))
      (br_if $next (i32.and
        (i32.ge_u (local.get $word) (local.get $paddingLow)) (i32.le_u (local.get $word) (local.get $paddingHigh))))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (br $next)))
    (i32.or (i32.shl (local.get $max) (i32.const 16)) (local.get $min)))

  ;; One pass over 16-bit values for three answers. At `out`: the 1024 bits of `digest` over their bytes,
  ;; then in 32 bits each: all bits set in any of the values, by which unsigned pixels with bits outside
  ;; the stored ones show; and the range as of `range` without padding. With `unused` > 0 the values are
  ;; signed, and the bits are not 0 where a value does not repeat its sign in its upper `unused` bits.
  ;; `room` is 128 bytes for the rest behind the last whole block.
  (func (export "survey")
    (param $from i32) (param $count i32) (param $flip i32) (param $unused i32) (param $room i32) (param $out i32)
    (local $end i32) (local $bytes i32) (local $v v128) (local $mixed v128) (local $factor v128)
    (local $flips v128) (local $seen v128) (local $signs v128) (local $lowest v128) (local $highest v128)
    (local $lane i32) (local $word i32) (local $bits i32) (local $min i32) (local $max i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $a4 v128) (local $a5 v128) (local $a6 v128) (local $a7 v128)
    (local.set $a0 (v128.const i32x4 1 2 3 4))
    (local.set $a1 (v128.const i32x4 5 6 7 8))
    (local.set $a2 (v128.const i32x4 9 10 11 12))
    (local.set $a3 (v128.const i32x4 13 14 15 16))
    (local.set $a4 (v128.const i32x4 17 18 19 20))
    (local.set $a5 (v128.const i32x4 21 22 23 24))
    (local.set $a6 (v128.const i32x4 25 26 27 28))
    (local.set $a7 (v128.const i32x4 29 30 31 32))
    (local.set $factor (i32x4.splat (i32.const 0x9E3779B1)))
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $lowest (i16x8.splat (i32.const 0xffff)))
    (local.set $bytes (i32.shl (local.get $count) (i32.const 1)))
    (local.set $end (i32.add (local.get $from) (i32.and (local.get $bytes) (i32.const -128))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (if (local.get $unused) (then
          (local.set $v (v128.load offset=0 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=16 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=32 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=48 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=64 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=80 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=96 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))
          (local.set $v (v128.load offset=112 (local.get $from)))
          (local.set $signs (v128.or (local.get $signs) (v128.xor (local.get $v)
            (i16x8.shr_s (i16x8.shl (local.get $v) (local.get $unused)) (local.get $unused)))))))
      (local.set $v (v128.load offset=0 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a0) (local.get $v)) (local.get $factor)))
      (local.set $a0 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=16 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a1) (local.get $v)) (local.get $factor)))
      (local.set $a1 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=32 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a2) (local.get $v)) (local.get $factor)))
      (local.set $a2 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=48 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a3) (local.get $v)) (local.get $factor)))
      (local.set $a3 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=64 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a4) (local.get $v)) (local.get $factor)))
      (local.set $a4 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=80 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a5) (local.get $v)) (local.get $factor)))
      (local.set $a5 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=96 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a6) (local.get $v)) (local.get $factor)))
      (local.set $a6 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $v (v128.load offset=112 (local.get $from)))
      (local.set $seen (v128.or (local.get $seen) (local.get $v)))
      (local.set $mixed (i32x4.mul (v128.xor (local.get $a7) (local.get $v)) (local.get $factor)))
      (local.set $a7 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $v (v128.xor (local.get $v) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest) (local.get $v)))
      (local.set $highest (i16x8.max_u (local.get $highest) (local.get $v)))
      (local.set $from (i32.add (local.get $from) (i32.const 128)))
      (br $next)))
    ;; The digest takes the rest as one more block, filled up with zeros.
    (local.set $bytes (i32.and (local.get $bytes) (i32.const 127)))
    (if (local.get $bytes) (then
      (memory.fill (local.get $room) (i32.const 0) (i32.const 128))
      (memory.copy (local.get $room) (local.get $from) (local.get $bytes))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a0) (v128.load offset=0 (local.get $room))) (local.get $factor)))
      (local.set $a0 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a1) (v128.load offset=16 (local.get $room))) (local.get $factor)))
      (local.set $a1 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a2) (v128.load offset=32 (local.get $room))) (local.get $factor)))
      (local.set $a2 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a3) (v128.load offset=48 (local.get $room))) (local.get $factor)))
      (local.set $a3 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a4) (v128.load offset=64 (local.get $room))) (local.get $factor)))
      (local.set $a4 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a5) (v128.load offset=80 (local.get $room))) (local.get $factor)))
      (local.set $a5 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a6) (v128.load offset=96 (local.get $room))) (local.get $factor)))
      (local.set $a6 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))
      (local.set $mixed (i32x4.mul
        (v128.xor (local.get $a7) (v128.load offset=112 (local.get $room))) (local.get $factor)))
      (local.set $a7 (v128.xor (local.get $mixed) (i32x4.shr_u (local.get $mixed) (i32.const 15))))))
    (v128.store offset=0 (local.get $out) (local.get $a0))
    (v128.store offset=16 (local.get $out) (local.get $a1))
    (v128.store offset=32 (local.get $out) (local.get $a2))
    (v128.store offset=48 (local.get $out) (local.get $a3))
    (v128.store offset=64 (local.get $out) (local.get $a4))
    (v128.store offset=80 (local.get $out) (local.get $a5))
    (v128.store offset=96 (local.get $out) (local.get $a6))
    (v128.store offset=112 (local.get $out) (local.get $a7))
    ;; The lanes one below the other, then the values that are left.
    (if (local.get $unused) (then (local.set $seen (local.get $signs))))
    (local.set $min (i32.const 0xffff))
    (v128.store (i32.const 0) (local.get $lowest))
    (v128.store (i32.const 16) (local.get $highest))
    (v128.store (i32.const 32) (local.get $seen))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $lane) (i32.const 16)))
      (local.set $word (i32.load16_u (local.get $lane)))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (local.set $word (i32.load16_u offset=16 (local.get $lane)))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (local.set $bits (i32.or (local.get $bits) (i32.load16_u offset=32 (local.get $lane))))
      (local.set $lane (i32.add (local.get $lane) (i32.const 2)))
      (br $next)))
    (local.set $end (i32.add (local.get $from) (local.get $bytes)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $word (i32.load16_u (local.get $from)))
      (local.set $lane (local.get $word))
      (if (local.get $unused) (then
        (local.set $lane (i32.and (i32.const 0xffff) (i32.xor (local.get $word)
          (i32.shr_s
            (i32.shl (local.get $word) (i32.add (i32.const 16) (local.get $unused)))
            (i32.add (i32.const 16) (local.get $unused))))))))
      (local.set $bits (i32.or (local.get $bits) (local.get $lane)))
      (local.set $word (i32.xor (local.get $word) (local.get $flip)))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))
      (br $next)))
    (i32.store offset=128 (local.get $out) (local.get $bits))
    (i32.store offset=132 (local.get $out) (i32.or (i32.shl (local.get $max) (i32.const 16)) (local.get $min))))

  ;; sums[column] += weight * (the sum over rows of the value between low and high; `black` for
  ;; padding). Sums are unsigned 32-bit numbers and must not overflow.
  (func $addRows (export "addRows")
    (param $from i32) (param $columns i32) (param $rows i32) (param $weight i32) (param $flip i32)
    (param $low i32) (param $high i32) (param $paddingLow i32) (param $paddingHigh i32) (param $black i32)
    (param $sums i32)
    (local $column i32) (local $row i32) (local $at i32) (local $stride i32) (local $word i32)
    (local $v v128) (local $left v128) (local $right v128) (local $weights v128) (local $flips v128)
    (local $lows v128) (local $highs v128) (local $paddingLows v128) (local $paddingHighs v128)
    (local $blacks v128) (local $sum i32) (local $padded i32) (local $narrow i32)
    (local.set $stride (i32.shl (local.get $columns) (i32.const 1)))
    (local.set $weights (i32x4.splat (local.get $weight)))
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $lows (i16x8.splat (local.get $low)))
    (local.set $highs (i16x8.splat (local.get $high)))
    (local.set $paddingLows (i16x8.splat (local.get $paddingLow)))
    (local.set $paddingHighs (i16x8.splat (local.get $paddingHigh)))
    (local.set $blacks (i16x8.splat (local.get $black)))
    (local.set $padded (i32.le_u (local.get $paddingLow) (local.get $paddingHigh)))
    ;; Without padding no value exceeds `high`: sums of few rows stay in 16 bits.
    (local.set $narrow (i32.and (i32.eqz (local.get $padded))
      (i64.le_u
        (i64.mul (i64.extend_i32_u (local.get $rows)) (i64.extend_i32_u (local.get $high)))
        (i64.const 65535))))
    (block $columnsDone (loop $nextColumns
      (br_if $columnsDone (i32.gt_u (i32.add (local.get $column) (i32.const 8)) (local.get $columns)))
      (local.set $at (i32.add (local.get $from) (i32.shl (local.get $column) (i32.const 1))))
      (local.set $left (v128.const i32x4 0 0 0 0))
      (local.set $right (v128.const i32x4 0 0 0 0))
      (local.set $row (i32.const 0))
      (if (local.get $narrow) (then
        (block $rowsDone (loop $nextRow
          (br_if $rowsDone (i32.ge_u (local.get $row) (local.get $rows)))
          (local.set $left (i16x8.add (local.get $left) (i16x8.min_u (i16x8.max_u
            (v128.xor (v128.load (local.get $at)) (local.get $flips))
            (local.get $lows)) (local.get $highs))))
          (local.set $at (i32.add (local.get $at) (local.get $stride)))
          (local.set $row (i32.add (local.get $row) (i32.const 1)))
          (br $nextRow)))
        (local.set $right (i32x4.extend_high_i16x8_u (local.get $left)))
        (local.set $left (i32x4.extend_low_i16x8_u (local.get $left)))))
      (block $rowsDone (loop $nextRow
        (br_if $rowsDone (i32.ge_u (local.get $row) (local.get $rows)))
        (local.set $v (v128.xor (v128.load (local.get $at)) (local.get $flips)))
        (if (local.get $padded)
          (then (local.set $v (v128.bitselect
            (local.get $blacks)
            (i16x8.min_u (i16x8.max_u (local.get $v) (local.get $lows)) (local.get $highs))
            (v128.and
              (i16x8.ge_u (local.get $v) (local.get $paddingLows))
              (i16x8.le_u (local.get $v) (local.get $paddingHighs))))))
          (else (local.set $v
            (i16x8.min_u (i16x8.max_u (local.get $v) (local.get $lows)) (local.get $highs)))))
        (local.set $left (i32x4.add (local.get $left) (i32x4.extend_low_i16x8_u (local.get $v))))
        (local.set $right (i32x4.add (local.get $right) (i32x4.extend_high_i16x8_u (local.get $v))))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $nextRow)))
      (local.set $at (i32.add (local.get $sums) (i32.shl (local.get $column) (i32.const 2))))
      (v128.store (local.get $at)
        (i32x4.add (v128.load (local.get $at)) (i32x4.mul (local.get $left) (local.get $weights))))
      (v128.store offset=16 (local.get $at)
        (i32x4.add (v128.load offset=16 (local.get $at)) (i32x4.mul (local.get $right) (local.get $weights))))
      (local.set $column (i32.add (local.get $column) (i32.const 8)))
      (br $nextColumns)))
    (block $columnsDone (loop $nextColumn
      (br_if $columnsDone (i32.ge_u (local.get $column) (local.get $columns)))
      (local.set $at (i32.add (local.get $from) (i32.shl (local.get $column) (i32.const 1))))
      (local.set $sum (i32.const 0))
      (local.set $row (i32.const 0))
      (block $rowsDone (loop $nextRow
        (br_if $rowsDone (i32.ge_u (local.get $row) (local.get $rows)))
        (local.set $word (i32.xor (i32.load16_u (local.get $at)) (local.get $flip)))
        (if (i32.and
              (i32.ge_u (local.get $word) (local.get $paddingLow))
              (i32.le_u (local.get $word) (local.get $paddingHigh)))
          (then (local.set $word (local.get $black)))
          (else
            (if (i32.lt_u (local.get $word) (local.get $low)) (then (local.set $word (local.get $low))))
            (if (i32.gt_u (local.get $word) (local.get $high)) (then (local.set $word (local.get $high))))))
        (local.set $sum (i32.add (local.get $sum) (local.get $word)))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $nextRow)))
      (local.set $at (i32.add (local.get $sums) (i32.shl (local.get $column) (i32.const 2))))
      (i32.store (local.get $at)
        (i32.add (i32.load (local.get $at)) (i32.mul (local.get $sum) (local.get $weight))))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br $nextColumn))))

  ;; One row of averages from the sums of its columns. For each cell four numbers of 32 bits stand at
  ;; `cells`: its first and last column and their weights; the columns between weigh `full`. First the
  ;; sums of all cells, whole numbers below 2^53, are put down at `row` in 64-bit floating point, then
  ;; start + sum * scale / total + 0.5 is cut to a whole number from 0 to 65535.
  (func $averageRow
    (param $sums i32) (param $cells i32) (param $count i32) (param $full i64)
    (param $start f64) (param $scale f64) (param $total f64) (param $row i32) (param $out i32)
    (local $end i32) (local $column i32) (local $last i32) (local $whole i64) (local $sum i64)
    (local $starts v128) (local $scales v128) (local $totals v128) (local $at i32) (local $v v128)
    (local $four v128) (local $each i32)
    (local.set $at (local.get $row))
    (local.set $end (i32.add (local.get $row) (i32.shl (local.get $count) (i32.const 3))))
    ;; Cells of four columns each, or a multiple of it, that weigh the same follow on each other: the
    ;; sums of a cell lie in two lanes, and become floating point by the bits of 2^52.
    (local.set $each (i32.add (i32.const 1)
      (i32.sub (i32.load offset=4 (local.get $cells)) (i32.load (local.get $cells)))))
    (if (i32.and
          (i64.eq (local.get $full) (i64.const 1))
          (i32.eqz (i32.and (local.get $each) (i32.const 3))))
      (then
        (local.set $column (local.get $sums))
        (block $done (loop $next
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (local.set $v (v128.const i64x2 0 0))
          (local.set $last (i32.add (local.get $column) (i32.shl (local.get $each) (i32.const 2))))
          (block $cellDone (loop $nextFour
            (br_if $cellDone (i32.ge_u (local.get $column) (local.get $last)))
            (local.set $four (v128.load (local.get $column)))
            (local.set $v (i64x2.add (local.get $v) (i64x2.add
              (i64x2.extend_low_i32x4_u (local.get $four))
              (i64x2.extend_high_i32x4_u (local.get $four)))))
            (local.set $column (i32.add (local.get $column) (i32.const 16)))
            (br $nextFour)))
          (local.set $v (i64x2.add (local.get $v)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
          (v128.store64_lane 0 (local.get $at) (f64x2.sub
            (v128.or (local.get $v) (f64x2.splat (f64.const 4503599627370496)))
            (f64x2.splat (f64.const 4503599627370496))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br $next)))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $column (i32.add (local.get $sums) (i32.shl (i32.load (local.get $cells)) (i32.const 2))))
      (local.set $last (i32.add (local.get $sums) (i32.shl (i32.load offset=4 (local.get $cells)) (i32.const 2))))
      (local.set $sum (i64.mul (i64.load32_u (local.get $column)) (i64.load32_u offset=8 (local.get $cells))))
      (if (i32.gt_u (local.get $last) (local.get $column)) (then
        (local.set $sum (i64.add (local.get $sum)
          (i64.mul (i64.load32_u (local.get $last)) (i64.load32_u offset=12 (local.get $cells)))))
        (local.set $whole (i64.const 0))
        (local.set $column (i32.add (local.get $column) (i32.const 4)))
        (block $wholeDone (loop $nextColumn
          (br_if $wholeDone (i32.ge_u (local.get $column) (local.get $last)))
          (local.set $whole (i64.add (local.get $whole) (i64.load32_u (local.get $column))))
          (local.set $column (i32.add (local.get $column) (i32.const 4)))
          (br $nextColumn)))
        (local.set $sum (i64.add (local.get $sum) (i64.mul (local.get $whole) (local.get $full))))))
      (f64.store (local.get $at) (f64.convert_i64_s (local.get $sum)))
      (local.set $cells (i32.add (local.get $cells) (i32.const 16)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
    (local.set $starts (f64x2.splat (local.get $start)))
    (local.set $scales (f64x2.splat (local.get $scale)))
    (local.set $totals (f64x2.splat (local.get $total)))
    (local.set $at (local.get $row))
    ;; Two at a time; of an odd number the last one comes with a neighbour that nobody reads.
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $v (i32x4.trunc_sat_f64x2_u_zero
        (f64x2.pmin
          (f64x2.add (f64x2.splat (f64.const 0.5)) (f64x2.add (local.get $starts)
            (f64x2.div (f64x2.mul (v128.load (local.get $at)) (local.get $scales)) (local.get $totals))))
          (f64x2.splat (f64.const 65535)))))
      (i32.store (local.get $out) (i32.or
        (i32x4.extract_lane 0 (local.get $v))
        (i32.shl (i32x4.extract_lane 1 (local.get $v)) (i32.const 16))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 4)))
      (br $next))))

  ;; The averages of one row of cells of four columns each, straight from the pixels: `rows` rows whose
  ;; sums stay in 16 bits, without padding, 32 columns at a time. `share` is 1 / total, exactly.
  (func $averageFours
    (param $from i32) (param $columns i32) (param $rows i32) (param $flip i32) (param $low i32) (param $high i32)
    (param $start f64) (param $scale f64) (param $share f64) (param $out i32)
    (local $at i32) (local $end i32) (local $row i32) (local $stride i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $e v128) (local $f v128)
    (local $flips v128) (local $lows v128) (local $highs v128)
    (local $starts v128) (local $scales v128) (local $shares v128) (local $halves v128) (local $most v128)
    (local.set $stride (i32.shl (local.get $columns) (i32.const 1)))
    (local.set $end (i32.add (local.get $from) (local.get $stride)))
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $lows (i16x8.splat (local.get $low)))
    (local.set $highs (i16x8.splat (local.get $high)))
    (local.set $starts (f64x2.splat (local.get $start)))
    (local.set $scales (f64x2.splat (local.get $scale)))
    (local.set $shares (f64x2.splat (local.get $share)))
    (local.set $halves (f64x2.splat (f64.const 0.5)))
    (local.set $most (f64x2.splat (f64.const 65535)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $at (local.get $from))
      (local.set $row (local.get $rows))
      (local.set $a (v128.const i32x4 0 0 0 0))
      (local.set $b (v128.const i32x4 0 0 0 0))
      (local.set $c (v128.const i32x4 0 0 0 0))
      (local.set $d (v128.const i32x4 0 0 0 0))
      (loop $nextRow
        (local.set $a (i16x8.add (local.get $a) (i16x8.min_u (i16x8.max_u
          (v128.xor (v128.load offset=0 (local.get $at)) (local.get $flips))
          (local.get $lows)) (local.get $highs))))
        (local.set $b (i16x8.add (local.get $b) (i16x8.min_u (i16x8.max_u
          (v128.xor (v128.load offset=16 (local.get $at)) (local.get $flips))
          (local.get $lows)) (local.get $highs))))
        (local.set $c (i16x8.add (local.get $c) (i16x8.min_u (i16x8.max_u
          (v128.xor (v128.load offset=32 (local.get $at)) (local.get $flips))
          (local.get $lows)) (local.get $highs))))
        (local.set $d (i16x8.add (local.get $d) (i16x8.min_u (i16x8.max_u
          (v128.xor (v128.load offset=48 (local.get $at)) (local.get $flips))
          (local.get $lows)) (local.get $highs))))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (br_if $nextRow (local.tee $row (i32.sub (local.get $row) (i32.const 1)))))
      (local.set $a (i32x4.extadd_pairwise_i16x8_u (local.get $a)))
      (local.set $b (i32x4.extadd_pairwise_i16x8_u (local.get $b)))
      (local.set $c (i32x4.extadd_pairwise_i16x8_u (local.get $c)))
      (local.set $d (i32x4.extadd_pairwise_i16x8_u (local.get $d)))
      (local.set $e (i32x4.add
        (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $a) (local.get $b))
        (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $a) (local.get $b))))
      (local.set $f (i32x4.add
        (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $c) (local.get $d))
        (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $c) (local.get $d))))
      (local.set $b (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e)))
      (local.set $d (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $f) (local.get $f)))
      (local.set $a (f64x2.mul (f64x2.convert_low_i32x4_u (local.get $e)) (local.get $scales)))
      (local.set $a (i32x4.trunc_sat_f64x2_u_zero (f64x2.pmin
        (f64x2.add (local.get $halves) (f64x2.add (local.get $starts)
          (f64x2.mul (local.get $a) (local.get $shares))))
        (local.get $most))))
      (local.set $b (f64x2.mul (f64x2.convert_low_i32x4_u (local.get $b)) (local.get $scales)))
      (local.set $b (i32x4.trunc_sat_f64x2_u_zero (f64x2.pmin
        (f64x2.add (local.get $halves) (f64x2.add (local.get $starts)
          (f64x2.mul (local.get $b) (local.get $shares))))
        (local.get $most))))
      (local.set $c (f64x2.mul (f64x2.convert_low_i32x4_u (local.get $f)) (local.get $scales)))
      (local.set $c (i32x4.trunc_sat_f64x2_u_zero (f64x2.pmin
        (f64x2.add (local.get $halves) (f64x2.add (local.get $starts)
          (f64x2.mul (local.get $c) (local.get $shares))))
        (local.get $most))))
      (local.set $d (f64x2.mul (f64x2.convert_low_i32x4_u (local.get $d)) (local.get $scales)))
      (local.set $d (i32x4.trunc_sat_f64x2_u_zero (f64x2.pmin
        (f64x2.add (local.get $halves) (f64x2.add (local.get $starts)
          (f64x2.mul (local.get $d) (local.get $shares))))
        (local.get $most))))
      (v128.store (local.get $out) (i16x8.narrow_i32x4_u
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $c) (local.get $d))))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (br $next))))

  ;; Averages of a whole image by area. `down` and `across` give the cells of both axes as for
  ;; averageRow, `downFull` and `acrossFull` the weight of a sample that lies in a cell wholly; `sums`
  ;; and `row` are room for one row. At `out` the averages follow row by row.
  (func (export "averageArea")
    (param $from i32) (param $columns i32) (param $flip i32) (param $low i32) (param $high i32)
    (param $paddingLow i32) (param $paddingHigh i32) (param $black i32)
    (param $down i32) (param $height i32) (param $downFull i32)
    (param $across i32) (param $width i32) (param $acrossFull i32)
    (param $start f64) (param $scale f64) (param $total f64)
    (param $sums i32) (param $row i32) (param $out i32)
    (local $end i32) (local $first i32) (local $last i32) (local $firstWeight i32) (local $lastWeight i32)
    (local $wholeFrom i32) (local $wholeTo i32) (local $stride i32) (local $fours i32)
    (local.set $stride (i32.shl (local.get $columns) (i32.const 1)))
    ;; Whole cells of four columns, a total that is a power of two, whose reciprocal is exact, and no
    ;; padding: then a shorter way gives the same.
    (local.set $fours (i32.and
      (i32.and
        (i32.and
          (i32.eq (local.get $columns) (i32.shl (local.get $width) (i32.const 2)))
          (i32.eqz (i32.and (local.get $columns) (i32.const 31))))
        (i32.and
          (i32.eq (local.get $downFull) (i32.const 1))
          (i32.gt_u (local.get $paddingLow) (local.get $paddingHigh))))
      (i64.eqz (i64.and
        (i64.reinterpret_f64 (local.get $total))
        (i64.const 0x000fffffffffffff)))))
    (local.set $end (i32.add (local.get $down) (i32.shl (local.get $height) (i32.const 4))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $down) (local.get $end)))
      (local.set $first (i32.load (local.get $down)))
      (local.set $last (i32.load offset=4 (local.get $down)))
      (local.set $firstWeight (i32.load offset=8 (local.get $down)))
      (local.set $lastWeight (i32.load offset=12 (local.get $down)))
      (if (i32.and (local.get $fours) (i64.le_u
            (i64.mul
              (i64.extend_i32_u (i32.add (i32.const 1) (i32.sub (local.get $last) (local.get $first))))
              (i64.extend_i32_u (local.get $high)))
            (i64.const 65535)))
        (then
          (call $averageFours
            (i32.add (local.get $from) (i32.mul (local.get $first) (local.get $stride)))
            (local.get $columns)
            (i32.add (i32.const 1) (i32.sub (local.get $last) (local.get $first)))
            (local.get $flip) (local.get $low) (local.get $high)
            (local.get $start) (local.get $scale)
            (f64.div (f64.const 1) (local.get $total)) (local.get $out))
          (local.set $out (i32.add (local.get $out) (i32.shl (local.get $width) (i32.const 1))))
          (local.set $down (i32.add (local.get $down) (i32.const 16)))
          (br $next)))
      (memory.fill (local.get $sums) (i32.const 0) (i32.shl (local.get $columns) (i32.const 2)))
      (local.set $wholeFrom
        (i32.add (local.get $first) (i32.ne (local.get $firstWeight) (local.get $downFull))))
      (local.set $wholeTo (i32.add (local.get $last) (i32.eqz (i32.and
        (i32.gt_u (local.get $last) (local.get $first))
        (i32.lt_u (local.get $lastWeight) (local.get $downFull))))))
      (if (i32.gt_u (local.get $wholeFrom) (local.get $first)) (then
        (call $addRows
          (i32.add (local.get $from) (i32.mul (local.get $first) (local.get $stride)))
          (local.get $columns) (i32.const 1) (local.get $firstWeight) (local.get $flip)
          (local.get $low) (local.get $high) (local.get $paddingLow) (local.get $paddingHigh)
          (local.get $black) (local.get $sums))))
      (if (i32.gt_u (local.get $wholeTo) (local.get $wholeFrom)) (then
        (call $addRows
          (i32.add (local.get $from) (i32.mul (local.get $wholeFrom) (local.get $stride)))
          (local.get $columns) (i32.sub (local.get $wholeTo) (local.get $wholeFrom))
          (local.get $downFull) (local.get $flip)
          (local.get $low) (local.get $high) (local.get $paddingLow) (local.get $paddingHigh)
          (local.get $black) (local.get $sums))))
      (if (i32.eq (local.get $wholeTo) (local.get $last)) (then
        (call $addRows
          (i32.add (local.get $from) (i32.mul (local.get $last) (local.get $stride)))
          (local.get $columns) (i32.const 1) (local.get $lastWeight) (local.get $flip)
          (local.get $low) (local.get $high) (local.get $paddingLow) (local.get $paddingHigh)
          (local.get $black) (local.get $sums))))
      (call $averageRow
        (local.get $sums) (local.get $across) (local.get $width)
        (i64.extend_i32_u (local.get $acrossFull))
        (local.get $start) (local.get $scale) (local.get $total) (local.get $row) (local.get $out))
      (local.set $out (i32.add (local.get $out) (i32.shl (local.get $width) (i32.const 1))))
      (local.set $down (i32.add (local.get $down) (i32.const 16)))
      (br $next))))

  ;; Stretches 16-bit shades over 8 bits, in place: byte by byte from their own beginning. The `skip`
  ;; darkest and brightest ones fall outside. Between the shades low and high that remain, level =
  ;; floor(((shade - low) * 510 + range) / (2 * range)); without a range all become low >> 8.
  ;; `histogram` is room for 65536 numbers of 32 bits. Behind the shades 16 bytes may be read.
  (func (export "eightBits")
    (param $shades i32) (param $count i32) (param $skip i32) (param $histogram i32)
    (local $at i32) (local $end i32) (local $low i32) (local $high i32) (local $passed i32)
    (local $range i32) (local $out i32) (local $v v128) (local $x v128) (local $y v128) (local $n v128)
    (local $lows v128) (local $highs v128) (local $ranges v128) (local $doubles v128) (local $shares v128)
    (memory.fill (local.get $histogram) (i32.const 0) (i32.const 262144))
    (local.set $end (i32.add (local.get $shades) (i32.shl (local.get $count) (i32.const 1))))
    (local.set $at (local.get $shades))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $out
        (i32.add (local.get $histogram) (i32.shl (i32.load16_u (local.get $at)) (i32.const 2))))
      (i32.store (local.get $out) (i32.add (i32.load (local.get $out)) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br $next)))
    (local.set $passed (i32.load (local.get $histogram)))
    (block $found (loop $next
      (br_if $found (i32.gt_u (local.get $passed) (local.get $skip)))
      (local.set $low (i32.add (local.get $low) (i32.const 1)))
      (local.set $passed (i32.add (local.get $passed)
        (i32.load (i32.add (local.get $histogram) (i32.shl (local.get $low) (i32.const 2))))))
      (br $next)))
    (local.set $high (i32.const 65535))
    (local.set $passed (i32.load offset=262140 (local.get $histogram)))
    (block $found (loop $next
      (br_if $found (i32.gt_u (local.get $passed) (local.get $skip)))
      (local.set $high (i32.sub (local.get $high) (i32.const 1)))
      (local.set $passed (i32.add (local.get $passed)
        (i32.load (i32.add (local.get $histogram) (i32.shl (local.get $high) (i32.const 2))))))
      (br $next)))
    (local.set $range (i32.sub (local.get $high) (local.get $low)))
    (if (i32.eqz (local.get $range)) (then
      (memory.fill (local.get $shades) (i32.shr_u (local.get $low) (i32.const 8)) (local.get $count))
      (return)))
    (local.set $lows (i16x8.splat (local.get $low)))
    (local.set $highs (i16x8.splat (local.get $high)))
    (local.set $ranges (i32x4.splat (local.get $range)))
    (local.set $doubles (i32x4.splat (i32.shl (local.get $range) (i32.const 1))))
    (local.set $shares (f32x4.splat
      (f32.div (f32.const 1) (f32.convert_i32_u (i32.shl (local.get $range) (i32.const 1))))))
    (local.set $at (local.get $shades))
    (local.set $out (local.get $shades))
    ;; Eight at a time. The quotient in 32-bit floating point is at most one off, which the remainder
    ;; shows; comparisons give -1. What is written never reaches what is still to be read.
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $v (i16x8.sub
        (i16x8.min_u (i16x8.max_u (v128.load (local.get $at)) (local.get $lows)) (local.get $highs))
        (local.get $lows)))
      (local.set $n (i32x4.add (local.get $ranges)
        (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $v)) (i32x4.splat (i32.const 510)))))
      (local.set $x (i32x4.trunc_sat_f32x4_s
        (f32x4.mul (f32x4.convert_i32x4_s (local.get $n)) (local.get $shares))))
      (local.set $n (i32x4.sub (local.get $n) (i32x4.mul (local.get $x) (local.get $doubles))))
      (local.set $x (i32x4.sub
        (i32x4.add (local.get $x) (i32x4.lt_s (local.get $n) (i32x4.splat (i32.const 0))))
        (i32x4.ge_s (local.get $n) (local.get $doubles))))
      (local.set $n (i32x4.add (local.get $ranges)
        (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $v)) (i32x4.splat (i32.const 510)))))
      (local.set $y (i32x4.trunc_sat_f32x4_s
        (f32x4.mul (f32x4.convert_i32x4_s (local.get $n)) (local.get $shares))))
      (local.set $n (i32x4.sub (local.get $n) (i32x4.mul (local.get $y) (local.get $doubles))))
      (local.set $y (i32x4.sub
        (i32x4.add (local.get $y) (i32x4.lt_s (local.get $n) (i32x4.splat (i32.const 0))))
        (i32x4.ge_s (local.get $n) (local.get $doubles))))
      (local.set $x (i16x8.narrow_i32x4_u (local.get $x) (local.get $y)))
      (v128.store64_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $x) (local.get $x)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 8)))
      (br $next))))

  ;; Smallest and largest of every second value of a row, from the first on: largest << 16 | smallest.
  (func (export "evenRange") (param $row i32) (param $columns i32) (param $flip i32) (result i32)
    (local $end i32) (local $v v128) (local $flips v128) (local $lowest v128) (local $highest v128)
    (local $min i32) (local $max i32) (local $word i32) (local $lane i32)
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $lowest (i16x8.splat (i32.const 0xffff)))
    (local.set $end (i32.add (local.get $row) (i32.shl (i32.and (local.get $columns) (i32.const -8)) (i32.const 1))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
      (local.set $v (v128.xor (v128.load (local.get $row)) (local.get $flips)))
      (local.set $lowest (i16x8.min_u (local.get $lowest)
        (v128.or (local.get $v) (i32x4.splat (i32.const 0xffff0000)))))
      (local.set $highest (i16x8.max_u (local.get $highest)
        (v128.and (local.get $v) (i32x4.splat (i32.const 0x0000ffff)))))
      (local.set $row (i32.add (local.get $row) (i32.const 16)))
      (br $next)))
    (local.set $min (i32.const 0xffff))
    (v128.store (i32.const 0) (local.get $lowest))
    (v128.store (i32.const 16) (local.get $highest))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $lane) (i32.const 16)))
      (local.set $word (i32.load16_u (local.get $lane)))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (local.set $word (i32.load16_u offset=16 (local.get $lane)))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (local.set $lane (i32.add (local.get $lane) (i32.const 4)))
      (br $next)))
    (local.set $end (i32.add (local.get $row) (i32.shl (i32.and (local.get $columns) (i32.const 7)) (i32.const 1))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
      (local.set $word (i32.xor (i32.load16_u (local.get $row)) (local.get $flip)))
      (if (i32.lt_u (local.get $word) (local.get $min)) (then (local.set $min (local.get $word))))
      (if (i32.gt_u (local.get $word) (local.get $max)) (then (local.set $max (local.get $word))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br $next)))
    (i32.or (i32.shl (local.get $max) (i32.const 16)) (local.get $min)))

  ;; Puts down, in 16 bits each, the columns of a row, from the third on, whose value differs by `rise`
  ;; or more from the one before or from the one two columns before. Returns how many there are.
  (func (export "steepColumns")
    (param $row i32) (param $columns i32) (param $flip i32) (param $rise i32) (param $out i32)
    (result i32)
    (local $column i32) (local $at i32) (local $v v128) (local $before v128) (local $flips v128)
    (local $rises v128) (local $bits i32) (local $start i32) (local $a i32) (local $b i32) (local $c i32)
    (local $lowest v128) (local $highest v128)
    (local.set $start (local.get $out))
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $rises (i16x8.splat (local.get $rise)))
    (local.set $column (i32.const 2))
    (block $done (loop $next
      (br_if $done (i32.gt_u (i32.add (local.get $column) (i32.const 8)) (local.get $columns)))
      (local.set $at (i32.add (local.get $row) (i32.shl (local.get $column) (i32.const 1))))
      (local.set $v (v128.xor (v128.load (local.get $at)) (local.get $flips)))
      (local.set $before
        (v128.xor (v128.load (i32.sub (local.get $at) (i32.const 4))) (local.get $flips)))
      (local.set $lowest
        (v128.xor (v128.load (i32.sub (local.get $at) (i32.const 2))) (local.get $flips)))
      (local.set $highest (i16x8.max_u (local.get $before) (local.get $lowest)))
      (local.set $lowest (i16x8.min_u (local.get $before) (local.get $lowest)))
      (local.set $bits (i16x8.bitmask (i16x8.ge_u
        (i16x8.max_u
          (i16x8.sub_sat_u (local.get $v) (local.get $lowest))
          (i16x8.sub_sat_u (local.get $highest) (local.get $v)))
        (local.get $rises))))
      (block $none (loop $nextBit
        (br_if $none (i32.eqz (local.get $bits)))
        (i32.store16 (local.get $out) (i32.add (local.get $column) (i32.ctz (local.get $bits))))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (local.set $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1))))
        (br $nextBit)))
      (local.set $column (i32.add (local.get $column) (i32.const 8)))
      (br $next)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $column) (local.get $columns)))
      (local.set $at (i32.add (local.get $row) (i32.shl (local.get $column) (i32.const 1))))
      (local.set $a (i32.xor (i32.load16_u (local.get $at)) (local.get $flip)))
      (local.set $b (i32.xor (i32.load16_u (i32.sub (local.get $at) (i32.const 4))) (local.get $flip)))
      (local.set $c (i32.xor (i32.load16_u (i32.sub (local.get $at) (i32.const 2))) (local.get $flip)))
      (if (i32.or
            (i32.ge_s
              (select
                (i32.sub (local.get $a) (local.get $b))
                (i32.sub (local.get $b) (local.get $a))
                (i32.ge_u (local.get $a) (local.get $b)))
              (local.get $rise))
            (i32.ge_s
              (select
                (i32.sub (local.get $a) (local.get $c))
                (i32.sub (local.get $c) (local.get $a))
                (i32.ge_u (local.get $a) (local.get $c)))
              (local.get $rise)))
        (then
          (i32.store16 (local.get $out) (local.get $column))
          (local.set $out (i32.add (local.get $out) (i32.const 2)))))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br $next)))
    (i32.shr_u (i32.sub (local.get $out) (local.get $start)) (i32.const 1)))

  ;; A digest of 1024 bits of `bytes` bytes, put down at `out`; `room` is 128 bytes for the rest behind
  ;; the last whole block. 32 lanes of 32 bits each take every 32nd word: lane = (lane xor word) * odd,
  ;; then lane xor lane >> 15. Both steps are one to one, so a changed word always changes its lane, and
  ;; two changes undo each other by chance only, once in 2^32 for each lane that they touch.
  (func (export "digest") (param $from i32) (param $bytes i32) (param $room i32) (param $out i32)
    (local $end i32) (local $rest i32) (local $v v128) (local $factor v128)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $a4 v128) (local $a5 v128) (local $a6 v128) (local $a7 v128)
    (local.set $a0 (v128.const i32x4 1 2 3 4))
    (local.set $a1 (v128.const i32x4 5 6 7 8))
    (local.set $a2 (v128.const i32x4 9 10 11 12))
    (local.set $a3 (v128.const i32x4 13 14 15 16))
    (local.set $a4 (v128.const i32x4 17 18 19 20))
    (local.set $a5 (v128.const i32x4 21 22 23 24))
    (local.set $a6 (v128.const i32x4 25 26 27 28))
    (local.set $a7 (v128.const i32x4 29 30 31 32))
    (local.set $factor (i32x4.splat (i32.const 0x9E3779B1)))
    (local.set $end (i32.add (local.get $from) (i32.and (local.get $bytes) (i32.const -128))))
    (local.set $rest (i32.and (local.get $bytes) (i32.const 127)))
    (loop $blocks
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a0) (v128.load offset=0 (local.get $from))) (local.get $factor)))
      (local.set $a0 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a1) (v128.load offset=16 (local.get $from))) (local.get $factor)))
      (local.set $a1 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a2) (v128.load offset=32 (local.get $from))) (local.get $factor)))
      (local.set $a2 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a3) (v128.load offset=48 (local.get $from))) (local.get $factor)))
      (local.set $a3 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a4) (v128.load offset=64 (local.get $from))) (local.get $factor)))
      (local.set $a4 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a5) (v128.load offset=80 (local.get $from))) (local.get $factor)))
      (local.set $a5 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a6) (v128.load offset=96 (local.get $from))) (local.get $factor)))
      (local.set $a6 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
      (local.set $v (i32x4.mul
        (v128.xor (local.get $a7) (v128.load offset=112 (local.get $from))) (local.get $factor)))
      (local.set $a7 (v128.xor (local.get $v) (i32x4.shr_u (local.get $v) (i32.const 15))))
        (local.set $from (i32.add (local.get $from) (i32.const 128)))
        (br $next)))
      (if (local.get $rest) (then
        (memory.fill (local.get $room) (i32.const 0) (i32.const 128))
        (memory.copy (local.get $room) (local.get $end) (local.get $rest))
        (local.set $rest (i32.const 0))
        (local.set $from (local.get $room))
        (local.set $end (i32.add (local.get $room) (i32.const 128)))
        (br $blocks))))
    (v128.store offset=0 (local.get $out) (local.get $a0))
    (v128.store offset=16 (local.get $out) (local.get $a1))
    (v128.store offset=32 (local.get $out) (local.get $a2))
    (v128.store offset=48 (local.get $out) (local.get $a3))
    (v128.store offset=64 (local.get $out) (local.get $a4))
    (v128.store offset=80 (local.get $out) (local.get $a5))
    (v128.store offset=96 (local.get $out) (local.get $a6))
    (v128.store offset=112 (local.get $out) (local.get $a7)))

  ;; Replaces each value by its entry in a table of 65536 16-bit values, in place.
  (func (export "lookUp") (param $from i32) (param $count i32) (param $flip i32) (param $table i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 1))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (i32.store16 (local.get $from) (i32.load16_u (i32.add (local.get $table)
        (i32.shl (i32.xor (i32.load16_u (local.get $from)) (local.get $flip)) (i32.const 1)))))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))
      (br $next))))
)
