"""The stored values of DICOM files by pydicom and numpy, beside which ours are tested.

Reads paths from standard input, one a line; prints for each a line of JSON with the SHA-256 of the
first frame's stored values, little endian, interleaved by sample, bits above the stored ones cleared
or, in signed images, filled with the sign. Compressed files are first decoded with DCMTK or GDCM.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy
import pydicom
import pydicom.config

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

# By transfer syntax, the first that succeeds; {0} is the file and {1} the decoded one.
DECODERS = {
    "1.2.840.10008.1.2.5": [["dcmdrle"], ["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.50": [["dcmdjpeg", "+cn"]],
    "1.2.840.10008.1.2.4.51": [["dcmdjpeg", "+cn"]],
    "1.2.840.10008.1.2.4.57": [["dcmdjpeg", "+cn"], ["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.70": [["dcmdjpeg", "+cn"], ["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.80": [["dcmdjpls"], ["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.81": [["dcmdjpls"], ["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.90": [["gdcmconv", "--raw"]],
    "1.2.840.10008.1.2.4.91": [["gdcmconv", "--raw"]],
}


def decoded(path, folder):
    dataset = pydicom.dcmread(path, force=True)
    syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", "1.2.840.10008.1.2"))
    if syntax not in DECODERS:
        return dataset, "pydicom"
    target = os.path.join(folder, "decoded.dcm")
    said = []
    for decoder in DECODERS[syntax]:
        if os.path.exists(target):
            os.unlink(target)
        run = subprocess.run([*decoder, path, target], capture_output=True, text=True)
        if run.returncode == 0 and os.path.exists(target):
            return pydicom.dcmread(target, force=True), decoder[0]
        said.append(run.stderr.strip().splitlines()[-1:] or [str(run.returncode)])
    raise ValueError(f"no peer decodes it: {said}")


def stored_values(dataset, width_bits):
    """The values in as many bits as the file itself allocates: some decoders narrow them."""
    allocated = dataset.BitsAllocated
    stored = dataset.BitsStored
    high = dataset.HighBit
    signed = dataset.PixelRepresentation == 1
    samples = dataset.SamplesPerPixel
    count = dataset.Rows * dataset.Columns * samples
    pixels = bytes(dataset.PixelData)
    syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", "1.2.840.10008.1.2"))
    big = syntax == "1.2.840.10008.1.2.2"
    width = allocated // 8
    if big and width == 1 and dataset["PixelData"].VR == "OW":
        # Bytes of big-endian words stand the other way round.
        pixels = numpy.frombuffer(pixels, ">u2").astype("<u2").tobytes()
    order = ">" if big and width > 1 else "<"
    values = numpy.frombuffer(pixels[: count * width], f"{order}u{width}").astype(f"<u{width}")
    if samples > 1 and getattr(dataset, "PlanarConfiguration", 0) == 1:
        values = values.reshape(samples, -1).T.reshape(-1)
    # As unsigned 64-bit numbers throughout: mixed with Python's they would become floats.
    word = numpy.uint64
    values = values.astype(word) >> word(high + 1 - stored)
    values &= word((1 << stored) - 1)
    if signed:
        fill = word(((1 << 64) - 1) ^ ((1 << stored) - 1))
        values |= (values >> word(stored - 1)) * fill
    return (values & word((1 << width_bits) - 1)).astype(f"<u{width_bits // 8}")


def answer(path):
    try:
        with tempfile.TemporaryDirectory() as folder:
            dataset, peer = decoded(path, folder)
            values = stored_values(dataset, pydicom.dcmread(path, force=True).BitsAllocated)
        digest = hashlib.sha256(values.tobytes()).hexdigest()
        return {"path": path, "peer": peer, "sha256": digest, "values": int(values.size)}
    except Exception as error:  # The reason is part of the answer.
        return {"path": path, "error": f"{type(error).__name__}: {error}"[:200]}


for line in sys.stdin:
    print(json.dumps(answer(line.rstrip("\n"))), flush=True)
