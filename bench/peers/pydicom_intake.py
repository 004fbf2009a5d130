"""What intake does to each film, with pydicom and numpy: read, modality values, window or the film's
own range, average by area, stretch over 8 bits. Prints films and seconds as JSON. "short" averages whole
blocks by one call of mean, "fast" by adding rows, then columns, ten times as fast.

    pydicom_intake.py FOLDER FRAME_PIXELS PROCESSES [fast|short]
"""
import json
import multiprocessing
import os
import sys
import time

import numpy
import pydicom


WAY = sys.argv[4] if len(sys.argv) > 4 else "fast"


def weights(samples, cells):
    """The matrix that averages an axis of `samples` into `cells` by area."""
    edges = numpy.arange(cells + 1) * (samples / cells)
    starts = numpy.arange(samples)
    overlap = numpy.minimum(edges[1:, None], starts + 1) - numpy.maximum(edges[:-1, None], starts)
    return (numpy.clip(overlap, 0, None) * (cells / samples)).astype(numpy.float32)


def average(image, size):
    rows, columns = image.shape
    if rows % size == 0 and columns % size == 0:
        if WAY == "fast":
            down, across = rows // size, columns // size
            sums = numpy.add.reduce(image.reshape(size, down, columns), axis=1, dtype=numpy.float32)
            total = sums[:, 0::across].copy()
            for column in range(1, across):
                total += sums[:, column::across]
            return total * numpy.float32(1 / (down * across))
        blocks = image.reshape(size, rows // size, size, columns // size)
        return blocks.mean(axis=(1, 3), dtype=numpy.float32)
    return weights(rows, size) @ image.astype(numpy.float32) @ weights(columns, size).T


def frame(path, size):
    film = pydicom.dcmread(path)
    stored = film.pixel_array
    slope = float(film.get("RescaleSlope", 1))
    intercept = float(film.get("RescaleIntercept", 0))
    if film.get("WindowCenter") is None:
        low, high = (float(end) * slope + intercept for end in (stored.min(), stored.max()))
        shades = average(stored, size)
    else:
        centre, width = float(film.WindowCenter) - 0.5, float(film.WindowWidth) - 1
        low, high = centre - width / 2, centre + width / 2
        # Pixels are held to the window's ends, as stored values, before they are averaged.
        ends = [(end - intercept) / slope for end in (low, high)]
        shades = average(numpy.clip(stored, min(ends), max(ends)), size)
    shades = (shades * slope + intercept - low) / max(high - low, 1e-9)
    if film.PhotometricInterpretation == "MONOCHROME1":
        shades = 1 - shades
    skip = int(shades.size * 0.005)
    ordered = numpy.partition(shades.ravel(), (skip, shades.size - 1 - skip))
    dark, bright = ordered[skip], ordered[shades.size - 1 - skip]
    levels = numpy.clip((shades - dark) / max(bright - dark, 1e-9) * 255 + 0.5, 0, 255)
    return (str(film.PatientID), str(film.SOPInstanceUID), levels.astype(numpy.uint8).tobytes())


def work(task):
    path, size = task
    return len(frame(path, size)[2])


def main():
    folder, size, processes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tasks = [(os.path.join(folder, name), size) for name in sorted(os.listdir(folder))]
    with multiprocessing.Pool(processes) as pool:
        # Starting the processes does not count.
        pool.map(work, tasks[:processes], chunksize=1)
        started = time.perf_counter()
        done = pool.map(work, tasks, chunksize=4)
        seconds = time.perf_counter() - started
    assert all(length == size * size for length in done)
    print(json.dumps({"films": len(done), "seconds": seconds, "pydicom": pydicom.__version__,
                      "numpy": numpy.__version__}))


if __name__ == "__main__":
    main()
