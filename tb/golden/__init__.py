"""Golden model: TensorFlow Lite's int8 operators in numpy, the specification of every result.

Each module is one operator or family of operators. It is written from the reference kernel that it
names and tested against ``ai-edge-litert==1.2.0`` with the reference resolver. The package does not
depend on the hardware, the compiler or the driver.

Tensors are NHWC arrays of int8; scales are float32 values as a file stores them.
"""
