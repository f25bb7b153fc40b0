"""Program file: instructions, memory image, tensors and windows."""
