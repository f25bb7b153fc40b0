"""TensorFlow Lite's int8 operators in numpy: the specification of every result.

Each module is one operator or family, written from the reference kernel it names, and tested
against ``ai-edge-litert==1.2.0`` on the reference resolver. Nothing here knows of the hardware,
the compiler or the driver.

Tensors are NHWC arrays of int8; scales are float32 values as a file holds them.
"""
