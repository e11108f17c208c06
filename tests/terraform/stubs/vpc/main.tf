# Stands in for terraform-aws-modules/vpc/aws 5.21: the inputs that terraform/ sets and the outputs that it reads.

variable "name" { type = string }
variable "cidr" { type = string }
variable "azs" { type = list(string) }
variable "private_subnets" { type = list(string) }
variable "public_subnets" { type = list(string) }
variable "enable_dns_hostnames" { type = bool }
variable "enable_nat_gateway" { type = bool }
variable "single_nat_gateway" { type = bool }
variable "public_subnet_tags" { type = map(string) }
variable "private_subnet_tags" { type = map(string) }

# As in the module, no output that terraform/ reads depends on this.
resource "terraform_data" "nat_gateway_route" {}

output "vpc_id" { value = "vpc-0123456789abcdef0" }
output "private_subnets" { value = [for zone in var.azs : "subnet-of-${zone}"] }
output "private_route_table_ids" { value = ["rtb-0123456789abcdef0"] }

# The inputs, for the tests.
output "asked" {
  value = {
    azs                 = var.azs
    cidr                = var.cidr
    private_subnets     = var.private_subnets
    public_subnets      = var.public_subnets
    single_nat_gateway  = var.single_nat_gateway
    public_subnet_tags  = var.public_subnet_tags
    private_subnet_tags = var.private_subnet_tags
  }
}
