;; What becomes of a step's summed gradient, over all weights, four at a time: the noise and the
;; divisor in 64-bit floats, the optimisers and the moving average in 32-bit ones. Nothing is
;; contracted, so every machine gets the same bits.
;; The caller gives places as byte offsets, and counts that are multiples of four.
;; scripts/kernel.mjs turns this file into kernel.wasm.ts.
(module
  ;; Shared, so that threads can draw a step's noise where it is added.
  (import "run" "memory" (memory 1 65536 shared))

  ;; 1 where a lane is infinite or not a number: every bit of its exponent is set.
  (func $notFinite (param $values v128) (result v128)
    (i32x4.eq
      (v128.and (local.get $values) (i32x4.splat (i32.const 0x7f800000)))
      (i32x4.splat (i32.const 0x7f800000))))

  ;; Two pairs of 64-bit floats, rounded, as four 32-bit ones.
  (func $rounded (param $low v128) (param $high v128) (result v128)
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
      (f32x4.demote_f64x2_zero (local.get $low))
      (f32x4.demote_f64x2_zero (local.get $high))))

  ;; The upper two of four 32-bit floats, as 64-bit ones.
  (func $upper (param $values v128) (result v128)
    (f64x2.promote_low_f32x4
      (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15
        (local.get $values) (local.get $values))))

  ;; gradient = (gradient + noise) factor, the noise in 64-bit floats; gives 1 where any result is
  ;; not finite.
  (func (export "addNoise")
    (param $gradient i32) (param $noise i32) (param $count i32) (param $factor f64) (result i32)
    (local $at i32) (local $end i32) (local $by v128) (local $g v128) (local $bad v128)
    (local.set $by (f64x2.splat (local.get $factor)))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $g (v128.load (i32.add (local.get $gradient) (local.get $at))))
      (local.set $g (call $rounded
        (f64x2.mul (local.get $by) (f64x2.add
          (f64x2.promote_low_f32x4 (local.get $g))
          (v128.load (local.get $noise))))
        (f64x2.mul (local.get $by) (f64x2.add
          (call $upper (local.get $g))
          (v128.load offset=16 (local.get $noise))))))
      (local.set $bad (v128.or (local.get $bad) (call $notFinite (local.get $g))))
      (v128.store (i32.add (local.get $gradient) (local.get $at)) (local.get $g))
      (local.set $noise (i32.add (local.get $noise) (i32.const 32)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))
    (v128.any_true (local.get $bad)))

  ;; gradient = (sum + noise) factor, both in 64-bit floats; gives 1 where any result is not finite.
  (func (export "addNoiseOnGrid")
    (param $gradient i32) (param $sum i32) (param $noise i32) (param $count i32) (param $factor f64)
    (result i32)
    (local $at i32) (local $end i32) (local $by v128) (local $g v128) (local $bad v128)
    (local.set $by (f64x2.splat (local.get $factor)))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $g (call $rounded
        (f64x2.mul (local.get $by) (f64x2.add
          (v128.load (local.get $sum))
          (v128.load (local.get $noise))))
        (f64x2.mul (local.get $by) (f64x2.add
          (v128.load offset=16 (local.get $sum))
          (v128.load offset=16 (local.get $noise))))))
      (local.set $bad (v128.or (local.get $bad) (call $notFinite (local.get $g))))
      (v128.store (i32.add (local.get $gradient) (local.get $at)) (local.get $g))
      (local.set $sum (i32.add (local.get $sum) (i32.const 32)))
      (local.set $noise (i32.add (local.get $noise) (i32.const 32)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))
    (v128.any_true (local.get $bad)))

  ;; gradient = gradient factor, in 64-bit floats; gives 1 where any result is not finite.
  (func (export "scale")
    (param $gradient i32) (param $count i32) (param $factor f64) (result i32)
    (local $end i32) (local $by v128) (local $g v128) (local $bad v128)
    (local.set $by (f64x2.splat (local.get $factor)))
    (local.set $end (i32.add (local.get $gradient) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $gradient) (local.get $end)))
      (local.set $g (v128.load (local.get $gradient)))
      (local.set $g (call $rounded
        (f64x2.mul (local.get $by) (f64x2.promote_low_f32x4 (local.get $g)))
        (f64x2.mul (local.get $by) (call $upper (local.get $g)))))
      (local.set $bad (v128.or (local.get $bad) (call $notFinite (local.get $g))))
      (v128.store (local.get $gradient) (local.get $g))
      (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
      (br $next)))
    (v128.any_true (local.get $bad)))

  ;; weight + kept (average - weight): the weight itself where nothing is kept, and no drift where
  ;; both are equal.
  (func $averaged (param $average v128) (param $weight v128) (param $kept v128) (result v128)
    (f32x4.add (local.get $weight)
      (f32x4.mul (local.get $kept) (f32x4.sub (local.get $average) (local.get $weight)))))

  ;; first = beta1 first + (1 - beta1) g
  ;; second = beta2 second + (1 - beta2) g g
  ;; weight = weight - (decay weight
  ;;   + (ofGradient g + ofMoment first) / (sqrt(max(second inverseBias - variance, floor)) + epsilon))
  ;; and the average
  (func (export "adam")
    (param $gradient i32) (param $first i32) (param $second i32) (param $weights i32)
    (param $averages i32) (param $count i32)
    (param $beta1 f64) (param $beta2 f64) (param $ofGradient f64) (param $ofMoment f64) (param $decay f64)
    (param $inverseBias f64) (param $variance f64) (param $floor f64) (param $epsilon f64)
    (param $kept f64)
    (local $at i32) (local $end i32)
    (local $g v128) (local $m v128) (local $v v128) (local $w v128)
    (local $oldM v128) (local $newM v128) (local $oldV v128) (local $newV v128)
    (local $byG v128) (local $byM v128) (local $lost v128)
    (local $unbiased v128) (local $noise v128) (local $least v128) (local $small v128) (local $old v128)
    (local.set $oldM (f32x4.splat (f32.demote_f64 (local.get $beta1))))
    (local.set $newM (f32x4.splat (f32.demote_f64 (f64.sub (f64.const 1) (local.get $beta1)))))
    (local.set $oldV (f32x4.splat (f32.demote_f64 (local.get $beta2))))
    (local.set $newV (f32x4.splat (f32.demote_f64 (f64.sub (f64.const 1) (local.get $beta2)))))
    (local.set $byG (f32x4.splat (f32.demote_f64 (local.get $ofGradient))))
    (local.set $byM (f32x4.splat (f32.demote_f64 (local.get $ofMoment))))
    (local.set $lost (f32x4.splat (f32.demote_f64 (local.get $decay))))
    (local.set $unbiased (f32x4.splat (f32.demote_f64 (local.get $inverseBias))))
    (local.set $noise (f32x4.splat (f32.demote_f64 (local.get $variance))))
    (local.set $least (f32x4.splat (f32.demote_f64 (local.get $floor))))
    (local.set $small (f32x4.splat (f32.demote_f64 (local.get $epsilon))))
    (local.set $old (f32x4.splat (f32.demote_f64 (local.get $kept))))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $g (v128.load (i32.add (local.get $gradient) (local.get $at))))
      (local.set $w (v128.load (i32.add (local.get $weights) (local.get $at))))
      (local.set $m (f32x4.add
        (f32x4.mul (local.get $oldM) (v128.load (i32.add (local.get $first) (local.get $at))))
        (f32x4.mul (local.get $newM) (local.get $g))))
      (local.set $v (f32x4.add
        (f32x4.mul (local.get $oldV) (v128.load (i32.add (local.get $second) (local.get $at))))
        (f32x4.mul (f32x4.mul (local.get $newV) (local.get $g)) (local.get $g))))
      (v128.store (i32.add (local.get $first) (local.get $at)) (local.get $m))
      (v128.store (i32.add (local.get $second) (local.get $at)) (local.get $v))
      (local.set $w
        (f32x4.sub (local.get $w)
          (f32x4.add
            (f32x4.mul (local.get $lost) (local.get $w))
            (f32x4.div
              (f32x4.add
                (f32x4.mul (local.get $byG) (local.get $g))
                (f32x4.mul (local.get $byM) (local.get $m)))
              (f32x4.add (local.get $small)
                (f32x4.sqrt (f32x4.pmax (local.get $least)
                  (f32x4.sub
                    (f32x4.mul (local.get $v) (local.get $unbiased))
                    (local.get $noise)))))))))
      (v128.store (i32.add (local.get $weights) (local.get $at)) (local.get $w))
      (v128.store (i32.add (local.get $averages) (local.get $at))
        (call $averaged
          (v128.load (i32.add (local.get $averages) (local.get $at)))
          (local.get $w)
          (local.get $old)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next))))

  ;; first = momentum first + g + decay weight; weight = weight - learningRate first; and the average
  (func (export "descent")
    (param $gradient i32) (param $first i32) (param $weights i32) (param $averages i32) (param $count i32)
    (param $momentum f64) (param $decay f64) (param $learningRate f64) (param $kept f64)
    (local $at i32) (local $end i32) (local $w v128) (local $m v128)
    (local $of v128) (local $pull v128) (local $rate v128) (local $old v128)
    (local.set $of (f32x4.splat (f32.demote_f64 (local.get $momentum))))
    (local.set $pull (f32x4.splat (f32.demote_f64 (local.get $decay))))
    (local.set $rate (f32x4.splat (f32.demote_f64 (local.get $learningRate))))
    (local.set $old (f32x4.splat (f32.demote_f64 (local.get $kept))))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $w (v128.load (i32.add (local.get $weights) (local.get $at))))
      (local.set $m (f32x4.add
        (f32x4.add
          (f32x4.mul (local.get $of) (v128.load (i32.add (local.get $first) (local.get $at))))
          (v128.load (i32.add (local.get $gradient) (local.get $at))))
        (f32x4.mul (local.get $pull) (local.get $w))))
      (v128.store (i32.add (local.get $first) (local.get $at)) (local.get $m))
      (local.set $w (f32x4.sub (local.get $w) (f32x4.mul (local.get $rate) (local.get $m))))
      (v128.store (i32.add (local.get $weights) (local.get $at)) (local.get $w))
      (v128.store (i32.add (local.get $averages) (local.get $at))
        (call $averaged
          (v128.load (i32.add (local.get $averages) (local.get $at)))
          (local.get $w)
          (local.get $old)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))))
