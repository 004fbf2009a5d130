;; What follows a step's gradient, over all weights, four at a time in 32-bit floats: the optimisers
;; and the moving average. Nothing is contracted, so every machine gets the same bits.
;; The caller gives places as byte offsets, and counts that are multiples of four.
;; scripts/kernel.mjs turns this file into kernel.wasm.ts.
(module
  (memory (export "memory") 1)

  ;; first = beta1 first + (1 - beta1) g
  ;; second = beta2 second + (1 - beta2) g g
  ;; weight = weight - (decay weight
  ;;   + (ofGradient g + ofMoment first) / (sqrt(max(second inverseBias - variance, floor)) + epsilon))
  (func (export "adam")
    (param $gradient i32) (param $first i32) (param $second i32) (param $weights i32) (param $count i32)
    (param $beta1 f64) (param $beta2 f64) (param $ofGradient f64) (param $ofMoment f64) (param $decay f64)
    (param $inverseBias f64) (param $variance f64) (param $floor f64) (param $epsilon f64)
    (local $at i32) (local $end i32)
    (local $g v128) (local $m v128) (local $v v128) (local $w v128)
    (local $oldM v128) (local $newM v128) (local $oldV v128) (local $newV v128)
    (local $byG v128) (local $byM v128) (local $lost v128)
    (local $unbiased v128) (local $noise v128) (local $least v128) (local $small v128)
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
      (v128.store (i32.add (local.get $weights) (local.get $at))
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
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next))))

  ;; first = momentum first + g + decay weight; weight = weight - learningRate first
  (func (export "descent")
    (param $gradient i32) (param $first i32) (param $weights i32) (param $count i32)
    (param $momentum f64) (param $decay f64) (param $learningRate f64)
    (local $at i32) (local $end i32) (local $w v128) (local $m v128)
    (local $old v128) (local $pull v128) (local $rate v128)
    (local.set $old (f32x4.splat (f32.demote_f64 (local.get $momentum))))
    (local.set $pull (f32x4.splat (f32.demote_f64 (local.get $decay))))
    (local.set $rate (f32x4.splat (f32.demote_f64 (local.get $learningRate))))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $w (v128.load (i32.add (local.get $weights) (local.get $at))))
      (local.set $m (f32x4.add
        (f32x4.add
          (f32x4.mul (local.get $old) (v128.load (i32.add (local.get $first) (local.get $at))))
          (v128.load (i32.add (local.get $gradient) (local.get $at))))
        (f32x4.mul (local.get $pull) (local.get $w))))
      (v128.store (i32.add (local.get $first) (local.get $at)) (local.get $m))
      (v128.store (i32.add (local.get $weights) (local.get $at))
        (f32x4.sub (local.get $w) (f32x4.mul (local.get $rate) (local.get $m))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next))))

  ;; average = weight + kept (average - weight): the weight itself where nothing is kept, and no
  ;; drift where both are equal.
  (func (export "average")
    (param $averages i32) (param $weights i32) (param $count i32) (param $kept f64)
    (local $at i32) (local $end i32) (local $old v128) (local $w v128)
    (local.set $old (f32x4.splat (f32.demote_f64 (local.get $kept))))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $w (v128.load (i32.add (local.get $weights) (local.get $at))))
      (v128.store (i32.add (local.get $averages) (local.get $at))
        (f32x4.add (local.get $w)
          (f32x4.mul (local.get $old)
            (f32x4.sub
              (v128.load (i32.add (local.get $averages) (local.get $at)))
              (local.get $w)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))))
