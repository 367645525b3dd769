"""What a deployment is built with: the wheel, the image."""
