"""From a trained model to a bundle of ONNX graphs."""
