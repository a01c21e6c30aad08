"""What makes a function a component of ours."""

from kfp import dsl

from clarify_ops.components.image import image

# The image is used as it is: nothing is installed when a task starts.
component = dsl.component(base_image=image(), install_kfp_package=False)
