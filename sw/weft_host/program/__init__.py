"""Program file: instructions, memory image, tensors and address windows."""
